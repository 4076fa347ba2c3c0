import { paths } from "@interlink/kube";
import { eventually } from "@interlink/kube/testing";
import type { Pod, PodStatus } from "kubernetes-types/core/v1.js";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { PodWorld } from "../testing/pod-world.ts";
import { ended } from "../testing/pods.ts";

let world: PodWorld;
beforeEach(async () => {
  world = await PodWorld.start();
});
afterEach(() => world[Symbol.asyncDispose]());

const status = () => world.pod()?.status;
const state = () => status()?.containerStatuses?.[0]?.state;

async function runningPod(over: Parameters<typeof world.put>[0] = {}): Promise<void> {
  world.put(over);
  await eventually(() => world.site.jobs.has("uid-1"), "the job");
  world.site.run("uid-1");
  await eventually(() => status()?.phase === "Running", "phase Running");
}

/** Somebody else writes the pod's status. */
function write(over: Partial<PodStatus>): void {
  const pod = world.pod();
  const changed: Pod = { ...pod, status: { ...pod?.status, ...over } };
  world.api.put(paths.pods.named("default", "p"), changed);
}

describe("a terminal phase that somebody else wrote", () => {
  test.each(["Failed", "Succeeded"])("%s stays, and the job is stopped", async (phase) => {
    world.site.endsAtOnce = false;
    await world.node();
    await runningPod();
    write({ phase, reason: "Retry", message: "the controller wants a new one" });
    await eventually(() => world.site.deletes.length > 0, "the delete");
    expect(state()?.running).toBeDefined();
    world.site.end("uid-1");
    await eventually(() => state()?.terminated?.exitCode === 143, "the container's end");
    expect(status()).toMatchObject({
      phase,
      reason: "Retry",
      message: "the controller wants a new one",
    });
    expect(status()?.conditions?.find(({ type }) => type === "Ready")?.status).toBe("False");
    expect(world.pod()).toBeDefined();
  });

  test("stops a container that waits for its next try", async () => {
    await world.node();
    await runningPod();
    world.site.set("uid-1", { waiting: { reason: "CrashLoopBackOff" } });
    await eventually(() => state()?.waiting, "the back-off");
    write({ phase: "Failed" });
    await eventually(() => world.site.deletes.length > 0, "the delete");
  });

  test("written while the node was away, stops the job too", async () => {
    const life = await world.node();
    await runningPod();
    await life[Symbol.asyncDispose]();
    write({ phase: "Failed" });
    await world.node();
    await eventually(() => !world.site.jobs.has("uid-1"), "the end of the job");
    expect(status()?.phase).toBe("Failed");
  });

  test("holds the object of a deleted pod until its job has really stopped", async () => {
    world.site.endsAtOnce = false;
    await world.node();
    await runningPod();
    write({ phase: "Failed" });
    await eventually(() => world.site.deletes.length > 0, "the delete");
    world.delete();
    await eventually(() => world.site.questions > 2, "some questions");
    expect(world.pod()).toBeDefined();
    world.site.end("uid-1");
    await eventually(() => !world.pod(), "the object is gone");
  });

  test("over a pod that ended by itself changes nothing", async () => {
    await world.node();
    await runningPod({ restartPolicy: "Never" });
    world.site.set("uid-1", ended(0));
    await eventually(() => status()?.phase === "Succeeded", "the end");
    write({ phase: "Failed", reason: "Opinion" });
    world.site.event({
      UID: "uid-1",
      name: "p",
      namespace: "default",
      type: "Normal",
      reason: "Later",
      message: "",
      at: "2026-01-01T00:00:00Z",
    });
    await eventually(() => world.events.some((event) => event.includes("Later")), "a later event");
    expect(status()).toMatchObject({ phase: "Failed", reason: "Opinion" });
    expect(world.site.deletes).toEqual([]);
  });
});

describe("a foreign status", () => {
  test("keeps its own conditions, and a readiness gate decides over Ready", async () => {
    await world.node();
    await runningPod({ readinessGates: [{ conditionType: "example.com/gate" }] });
    const ready = () => status()?.conditions?.find(({ type }) => type === "Ready");
    await eventually(() => ready()?.reason === "ReadinessGatesNotReady", "not ready");
    const gate = (value: string) => [
      ...(status()?.conditions ?? []).filter(({ type }) => type !== "example.com/gate"),
      { type: "example.com/gate", status: value },
      { type: "mine", status: "True" },
    ];
    write({ conditions: gate("True") });
    await eventually(() => ready()?.status === "True", "ready");
    write({ conditions: gate("False") });
    await eventually(() => ready()?.status === "False", "unready");
    expect(ready()?.message).toBe(
      'the status of pod readiness gate "example.com/gate" is not "True", but False',
    );
    expect(status()?.conditions).toContainEqual({ type: "mine", status: "True" });
  });

  test.each<[string, Partial<PodStatus>]>([
    ["phase", { phase: "Pending" }],
    ["container statuses", { containerStatuses: [] }],
    ["readiness", { conditions: [{ type: "Ready", status: "False", reason: "Because" }] }],
    ["host IP", { hostIP: "192.0.2.99", hostIPs: [{ ip: "192.0.2.99" }] }],
    ["reason", { reason: "Mine", message: "mine" }],
  ])("over the node's own %s is put right", async (_, over) => {
    await world.node();
    await runningPod();
    const before = status();
    write(over);
    await eventually(() => {
      const { conditions = [], ...now } = status() ?? {};
      const { conditions: old = [], ...then } = before ?? {};
      const text = (list: typeof old) => list.map((one) => `${one.type}=${one.status}`).sort();
      return (
        JSON.stringify(sorted(now)) === JSON.stringify(sorted(then)) &&
        text(conditions).join() === text(old).join()
      );
    }, "the status as before");
  });
});

function sorted(value: object): unknown {
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
}
