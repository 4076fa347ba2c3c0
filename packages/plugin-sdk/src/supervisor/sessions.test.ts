import { PassThrough } from "node:stream";
import type { AttachRequest } from "@interlink/protocol";
import { describe, expect, test } from "vitest";
import type { ContainerRuntime } from "../runtime/container-runtime.ts";
import { RuntimeError } from "../runtime/runtime-error.ts";
import { FakeProcess } from "../testing/fake-process.ts";
import { FakeRuntime } from "../testing/fake-runtime.ts";
import { ManualClock } from "../testing/manual-clock.ts";
import { created, exited, running, situation } from "../testing/situation.ts";
import { statsAnswer } from "./pod-stats.ts";
import { type FindPod, runtimeFeatures, Sessions } from "./sessions.ts";

const signal = new AbortController().signal;
const asked: AttachRequest = {
  Namespace: "prod",
  PodName: "web",
  PodUID: "u1",
  ContainerName: "main",
  Stdin: false,
  Stdout: true,
  Stderr: false,
  TTY: false,
};

function podWith(container: ReturnType<typeof running>): FindPod {
  const { plan, record } = situation({ record: { main: container } });
  return (uid) => (uid === "u1" ? { plan, record } : undefined);
}

function runtimeWith(more: Partial<ContainerRuntime>): ContainerRuntime {
  return Object.assign(new FakeRuntime(new ManualClock()), more);
}

test("a feature is offered when the runtime has its method", () => {
  expect(runtimeFeatures(runtimeWith({}))).toEqual([]);
  const some = runtimeWith({
    openExec: async () => new FakeProcess(),
    connect: async () => new PassThrough(),
  });
  expect(runtimeFeatures(some)).toEqual(["exec", "port-forward"]);
});

describe("a session", () => {
  test("is with the newest attempt of the container", async () => {
    let attempt: number | undefined;
    const runtime = runtimeWith({
      openAttach: async (handle) => {
        attempt = handle.attempt;
        return new FakeProcess();
      },
    });
    await new Sessions(runtime, podWith(running(3))).attach(asked, signal);
    expect(attempt).toBe(3);
  });

  test.each([
    ["has ended", podWith(exited(0)), "main"],
    ["has not begun", podWith(created()), "main"],
    ["does not exist", podWith(running()), "other"],
  ])("is refused when the container %s", async (_, find, ContainerName) => {
    const sessions = new Sessions(runtimeWith({ openAttach: async () => new FakeProcess() }), find);
    await expect(sessions.attach({ ...asked, ContainerName }, signal)).rejects.toMatchObject({
      code: "not-found",
      message: `container not found ("${ContainerName}")`,
    });
  });

  test("is refused in the same words when the container ends meanwhile, else in the engine's", async () => {
    for (const [code, expected] of [
      ["NotRunning", { code: "not-found", message: 'container not found ("main")' }],
      ["StartFailed", { code: "rejected", message: "engine says no" }],
      ["Unavailable", { code: "unavailable", message: "engine says no" }],
    ] as const) {
      const openExec = () => Promise.reject(new RuntimeError(code, "engine says no"));
      const sessions = new Sessions(runtimeWith({ openExec }), podWith(running()));
      const request = { ...asked, Command: ["ls"] };
      await expect(sessions.exec(request, signal)).rejects.toMatchObject(expected);
    }
  });

  test("ends when its pod has gone, when the plugin closes, and when its caller goes", async () => {
    for (const way of ["gone", "close", "caller"]) {
      const attached = new FakeProcess();
      const connection = new PassThrough();
      const sessions = new Sessions(
        runtimeWith({ openAttach: async () => attached, connect: async () => connection }),
        podWith(running()),
      );
      const caller = new AbortController();
      await sessions.attach(asked, caller.signal);
      await sessions.portForward({ ...asked, Port: 80 }, caller.signal);
      const closed = new Promise((resolve) => connection.once("close", resolve));
      if (way === "gone") sessions.endAll("u1");
      else if (way === "close") sessions.close();
      else caller.abort();
      await Promise.all([attached.whenClosed, closed]);
    }
  });
});

describe("the statistics of pods", () => {
  const time = "2026-01-01T00:00:10Z";
  const earlier = "2026-01-01T00:00:09Z";
  const one = { uid: "u1", containerName: "main", startTime: "2026-01-01T00:00:00Z" };

  test("are sums of what all containers have measured, as old as the oldest sample", () => {
    const { pods } = statsAnswer(
      {
        containers: [
          {
            ...one,
            cpu: { time, usageNanoCores: 5, usageCoreNanoSeconds: 100 },
            memory: { time, workingSetBytes: 10 },
          },
          {
            ...one,
            containerName: "side",
            cpu: { time: earlier, usageCoreNanoSeconds: 50 },
          },
        ],
      },
      podWith(running()),
    );
    expect(pods).toHaveLength(1);
    expect(pods[0]).toMatchObject({
      podRef: { name: "web", namespace: "prod", uid: "u1" },
      startTime: one.startTime,
      cpu: { time: earlier, usageCoreNanoSeconds: 150 },
    });
    expect(pods[0]?.cpu).not.toHaveProperty("usageNanoCores");
    expect(pods[0]).not.toHaveProperty("memory");
    expect(pods[0]?.containers.map(({ name }) => name)).toEqual(["main", "side"]);
  });

  test("leave out pods that are not known", () => {
    const containers = [{ ...one, uid: "stranger" }];
    expect(statsAnswer({ containers }, podWith(running()))).toEqual({ pods: [] });
  });
});
