import { podStatusPatch, sameJson } from "@interlink/kube";
import fc from "fast-check";
import type { ContainerState } from "kubernetes-types/core/v1.js";
import { describe, expect, test } from "vitest";
import { applyStatusPatch } from "../testing/apply-status-patch.ts";
import { aPod, container, ended, remote, running, status, waiting } from "../testing/pods.ts";
import { NODE_CONDITIONS } from "./conditions.ts";
import { isTerminalPhase } from "./phase.ts";
import { type NodePodStatus, podStatus } from "./pod-status.ts";

describe("a status that the API server gives back with its nulls", () => {
  test("is not written again", () => {
    const pod = aPod({ restartPolicy: "Always" });
    const { startedAt: _, ...end } = ended(1).terminated!;
    const told = remote(pod, [status("main", { terminated: end })]);
    const wanted = podStatus(pod, told, { hostIP: undefined, allStopped: false }, new Date());
    const held: NodePodStatus = structuredClone(wanted);
    for (const condition of held.conditions ?? []) condition.lastProbeTime = null as never;
    const heldEnd = held.containerStatuses?.[0]?.state?.terminated;
    Object.assign(heldEnd ?? {}, { startedAt: null });
    const again = podStatus({ ...pod, status: held }, told, calm, new Date());
    expect(podStatusPatch("uid-1", held, again)).toBeUndefined();
  });
});

const calm = { hostIP: undefined, allStopped: false };
const anyState: fc.Arbitrary<ContainerState> = fc.oneof(
  fc.constant(waiting()),
  fc.constant(waiting("ImagePullBackOff", "no such image")),
  fc.constant(running()),
  fc.integer({ min: 0, max: 255 }).map((code) => ended(code)),
  fc.constant({}),
);
const anyStatus = (name: string) =>
  fc
    .record({
      state: anyState,
      ready: fc.boolean(),
      restartCount: fc.nat(5),
      lastState: fc.oneof(fc.constant({}), fc.constant(ended(1))),
    })
    .map(({ state, ...over }) => status(name, state, over));
const aTelling = fc.record({
  a: fc.option(anyStatus("a"), { nil: undefined }),
  b: fc.option(anyStatus("b"), { nil: undefined }),
  init: fc.option(anyStatus("i"), { nil: undefined }),
  base: fc.boolean(),
  allStopped: fc.boolean(),
  ips: fc.subarray(["10.0.0.1", "10.0.0.2", "fd00::1", "127.0.0.1", "x"]),
});

describe("a history of statuses, each patched into the API object", () => {
  test("stays complete, gives exactly the wanted status, and never leaves a terminal phase", () => {
    fc.assert(
      fc.property(
        fc.constantFrom("Always", "OnFailure", "Never"),
        fc.array(aTelling, { minLength: 1, maxLength: 8 }),
        (restartPolicy, tellings) => {
          const pod = aPod({
            restartPolicy,
            initContainers: [container("i")],
            containers: [container("b"), container("a")],
          });
          let held: NodePodStatus = { phase: "Pending", qosClass: "BestEffort" };
          let clock = Date.parse("2026-01-01T00:00:00Z");
          for (const { a, b, init, base, allStopped, ips } of tellings) {
            clock += 7000;
            const told = remote(
              pod,
              [a, b].filter((one) => one !== undefined),
              {
                initContainers: init ? [init] : [],
                extension: base ? undefined : { podIPs: ips },
              },
            );
            const current = { ...pod, status: held };
            const wanted = podStatus(
              current,
              told,
              { hostIP: "10.9.9.9", allStopped },
              new Date(clock),
            );
            const patch = podStatusPatch("uid-1", held, wanted);
            const after = patch ? applyStatusPatch(held, patch.status) : held;
            expect(sameJson(sorted(after), sorted(wanted))).toBe(true);
            if (isTerminalPhase(held.phase)) expect(patch).toBeUndefined();
            checkComplete(after, restartPolicy, held);
            held = after;
          }
        },
      ),
    );
  });
});

function sorted(status: NodePodStatus): NodePodStatus {
  return {
    ...status,
    conditions: (status.conditions ?? []).toSorted((x, y) => (x.type < y.type ? -1 : 1)),
  };
}

function checkComplete(after: NodePodStatus, restartPolicy: string, before: NodePodStatus): void {
  expect(after.qosClass).toBe("BestEffort");
  expect(after.conditions?.map((one) => one.type).sort()).toEqual([...NODE_CONDITIONS].sort());
  expect(after.containerStatuses?.map((one) => one.name)).toEqual(["a", "b"]);
  expect(after.initContainerStatuses?.map((one) => one.name)).toEqual(["i"]);
  const all = [...(after.containerStatuses ?? []), ...(after.initContainerStatuses ?? [])];
  for (const one of all) {
    expect(Object.keys(one.state ?? {})).toHaveLength(1);
    const old = [...(before.containerStatuses ?? []), ...(before.initContainerStatuses ?? [])].find(
      (candidate) => candidate.name === one.name,
    );
    expect(one.restartCount).toBeGreaterThanOrEqual(old?.restartCount ?? 0);
    // What the API server would refuse: an end that is final and comes back to life.
    const end = old?.state?.terminated;
    if (
      end &&
      (restartPolicy === "Never" || (restartPolicy === "OnFailure" && end.exitCode === 0))
    ) {
      expect(one.state?.terminated?.exitCode).toBe(end.exitCode);
    }
  }
  if (isTerminalPhase(after.phase)) {
    expect(all.some((one) => one.state?.running)).toBe(false);
    expect(after.conditions?.find((one) => one.type === "Ready")?.status).toBe("False");
  }
  expect(after.podIPs?.[0]?.ip).toBe(after.podIP);
}
