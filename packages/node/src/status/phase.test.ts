import type { ContainerStatus, PodSpec } from "kubernetes-types/core/v1.js";
import { describe, expect, test } from "vitest";
import { container, ended, running, status, waiting } from "../testing/pods.ts";
import { podPhase } from "./phase.ts";

const crashed = (name: string, exitCode: number) =>
  status(name, waiting("CrashLoopBackOff"), { lastState: ended(exitCode) });

describe("podPhase without init containers", () => {
  const a = (state: ContainerStatus["state"]) => status("a", state!);
  const b = (state: ContainerStatus["state"]) => status("b", state!);
  test.each<[string, string, ContainerStatus[], boolean, string]>([
    ["nothing known", "Always", [], false, "Pending"],
    ["one of two unknown", "Always", [a(running())], false, "Pending"],
    ["one waits, one runs", "Always", [a(running()), b(waiting())], false, "Pending"],
    ["both run", "Always", [a(running()), b(running())], false, "Running"],
    ["one ran out, one runs", "Never", [a(ended(0)), b(running())], false, "Running"],
    ["all ended well, Always", "Always", [a(ended(0)), b(ended(0))], false, "Running"],
    ["all ended well, OnFailure", "OnFailure", [a(ended(0)), b(ended(0))], false, "Succeeded"],
    ["all ended well, Never", "Never", [a(ended(0)), b(ended(0))], false, "Succeeded"],
    ["one failed, Never", "Never", [a(ended(0)), b(ended(3))], false, "Failed"],
    ["one failed, OnFailure", "OnFailure", [a(ended(0)), b(ended(3))], false, "Running"],
    ["backs off, OnFailure", "OnFailure", [a(ended(0)), crashed("b", 3)], false, "Running"],
    ["backs off, Always", "Always", [crashed("a", 0), crashed("b", 3)], false, "Running"],
    ["stopped by request, all well", "Always", [a(ended(0)), b(ended(0))], true, "Succeeded"],
    ["stopped by request, one killed", "Always", [a(ended(0)), b(ended(143))], true, "Failed"],
  ])("%s", (_, restartPolicy, statuses, allStopped, expected) => {
    const spec = { restartPolicy, containers: [container("a"), container("b")] };
    expect(
      podPhase({ spec, containerStatuses: statuses, initContainerStatuses: [], allStopped }),
    ).toBe(expected);
  });
});

describe("podPhase with init containers and sidecars", () => {
  const sidecar = container("side", { restartPolicy: "Always" });
  const main = container("main");
  test.each<[string, Partial<PodSpec>, ContainerStatus[], ContainerStatus[], string]>([
    [
      "init not reported yet",
      { initContainers: [container("i")] },
      [],
      [status("main", waiting())],
      "Pending",
    ],
    [
      "init runs",
      { initContainers: [container("i")] },
      [status("i", running())],
      [status("main", waiting())],
      "Pending",
    ],
    [
      "init failed and may not be retried",
      { initContainers: [container("i")], restartPolicy: "Never" },
      [status("i", ended(1))],
      [status("main", waiting())],
      "Failed",
    ],
    [
      "init failed and is retried",
      { initContainers: [container("i")], restartPolicy: "OnFailure" },
      [crashed("i", 1)],
      [status("main", waiting())],
      "Pending",
    ],
    [
      "init failed under Always is retried",
      { initContainers: [container("i")] },
      [status("i", ended(1))],
      [status("main", waiting())],
      "Pending",
    ],
    [
      "init done, main runs",
      { initContainers: [container("i")] },
      [status("i", ended(0))],
      [status("main", running())],
      "Running",
    ],
    [
      "sidecar not started yet",
      { initContainers: [sidecar] },
      [status("side", running(), { started: false })],
      [status("main", waiting())],
      "Pending",
    ],
    [
      "a running sidecar keeps the pod running",
      { initContainers: [sidecar], restartPolicy: "Never" },
      [status("side", running())],
      [status("main", ended(0))],
      "Running",
    ],
    [
      "the exit code of a sidecar does not count",
      { initContainers: [sidecar], restartPolicy: "Never" },
      [status("side", ended(137))],
      [status("main", ended(0))],
      "Succeeded",
    ],
    [
      "a rule of the container restarts this exit code",
      {
        restartPolicy: "Never",
        containers: [
          {
            ...main,
            restartPolicyRules: [
              { action: "Restart", exitCodes: { operator: "In", values: [42] } },
            ],
          } as typeof main,
        ],
      },
      [],
      [status("main", ended(42))],
      "Running",
    ],
  ])("%s", (_, spec, init, regular, expected) => {
    const full = { restartPolicy: "Always", containers: [main], ...spec };
    expect(
      podPhase({
        spec: full,
        initContainerStatuses: init,
        containerStatuses: regular,
        allStopped: false,
      }),
    ).toBe(expected);
  });
});
