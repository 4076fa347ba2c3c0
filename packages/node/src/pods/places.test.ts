import { paths } from "@interlink/kube";
import { eventually } from "@interlink/kube/testing";
import type { Pod } from "kubernetes-types/core/v1.js";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { PodWorld, QUICK_TIMING } from "../testing/pod-world.ts";
import { container, ended, running } from "../testing/pods.ts";

let world: PodWorld;
beforeEach(async () => {
  world = await PodWorld.start();
  world.putNode({ allocatable: { cpu: "2", pods: "10" } });
});
afterEach(() => world[Symbol.asyncDispose]());

function put(name: string, over: { created?: string; startTime?: string } = {}): Pod {
  const main = container("main", { resources: { requests: { cpu: "1" } } });
  return world.put(
    { containers: [main], restartPolicy: "Never" },
    {
      metadata: {
        name,
        uid: `uid-${name}`,
        ...(over.created ? { creationTimestamp: over.created } : {}),
      },
      ...(over.startTime ? { status: { phase: "Pending", startTime: over.startTime } } : {}),
    },
  );
}
const phase = (name: string) => world.pod(name)?.status?.phase;
const started = (name: string) => world.site.started.get(`uid-${name}`) ?? 0;

describe("a node that is full", () => {
  test("rejects a pod, says why, runs nothing, and never touches it again", async () => {
    await world.node();
    for (const name of ["a", "b", "c"]) put(name);
    await eventually(() => phase("c") === "Failed", "the rejection");
    const message =
      "Node didn't have enough resource: cpu, requested: 1000, used: 2000, capacity: 2000";
    expect(world.pod("c")?.status).toMatchObject({
      reason: "OutOfcpu",
      message: `Pod was rejected: ${message}`,
      startTime: expect.any(String),
    });
    // Else `kubectl get` would show the state of the containers instead of the reason.
    expect(world.pod("c")?.status?.containerStatuses).toBeUndefined();
    expect(world.events).toContain(`Warning OutOfcpu ${message}`);
    await eventually(() => started("a") + started("b") === 2, "the others");
    expect(started("c")).toBe(0);
  });

  test("has room again when a pod has ended", async () => {
    await world.node();
    for (const name of ["a", "b"]) put(name);
    await eventually(() => world.site.jobs.size === 2, "both jobs");
    world.site.set("uid-a", ended(0));
    await eventually(() => phase("a") === "Succeeded", "the end");
    put("c");
    await eventually(() => started("c") === 1, "the third");
  });

  test("has room again as soon as it writes that a pod has ended, before it is answered", async () => {
    await world.node();
    for (const name of ["a", "b"]) put(name);
    await eventually(() => world.site.jobs.size === 2, "both jobs");
    const isEnd = ({ method, path }: { method: string; path: string }) =>
      method === "PATCH" && path.endsWith("/pods/a/status");
    world.api.inject(isEnd, { kind: "hang" });
    const before = world.api.requests.filter(isEnd).length;
    world.site.set("uid-a", ended(0));
    await eventually(() => world.api.requests.filter(isEnd).length > before, "the write");
    put("c");
    await eventually(() => started("c") === 1, "the third");
  });

  test("keeps, over a restart, every pod that it had taken, and decides about others by age", async () => {
    put("young", { created: "2026-01-03T00:00:00Z" });
    put("old", { created: "2026-01-02T00:00:00Z" });
    // Taken by an earlier life, though the node has shrunk since.
    put("taken", { created: "2026-01-04T00:00:00Z", startTime: "2026-01-04T00:00:01Z" });
    await world.node();
    await eventually(() => phase("young") === "Failed", "the decision");
    await eventually(() => started("old") + started("taken") === 2, "the others");
    expect(phase("old")).not.toBe("Failed");
  });

  test("takes over a job that an earlier life had created before the pod said so", async () => {
    put("a", { startTime: "2026-01-04T00:00:01Z" });
    put("b", { startTime: "2026-01-04T00:00:01Z" });
    const late = put("late");
    world.site.put(late, running());
    await world.node();
    await eventually(() => phase("late") === "Running", "the pod runs");
    expect(started("late")).toBe(0);
  });
});

test("a node that grew, or got a label, a moment ago turns no pod away for what it held before", async () => {
  const stale = world.putNode({ allocatable: { cpu: "0" } });
  world.putNode({ allocatable: { cpu: "4" } }, {}, { fresh: "yes" });
  await world.node({ node: () => stale });
  const main = container("main", { resources: { requests: { cpu: "1" } } });
  world.put({ containers: [main], nodeSelector: { fresh: "yes" } });
  await eventually(() => world.site.started.get("uid-1"), "the job");
});

test("a pod is not judged while the node object cannot be read", async () => {
  world.api.remove(paths.nodes.named("vn"));
  await world.node({
    timing: { ...QUICK_TIMING, objectRetry: { firstMs: 2, capMs: 5, jitter: 0 } },
  });
  world.put({ nodeSelector: { color: "red" } });
  const looks = () =>
    world.api.requests.filter(({ path }) => path.startsWith(paths.nodes.named("vn"))).length;
  await eventually(() => looks() > 1, "two looks");
  expect(world.pod()?.status?.phase).toBeUndefined();
  world.put({ nodeSelector: { color: "red" } }, { metadata: { name: "unjudged", uid: "u" } });
  world.delete(30, "unjudged");
  await eventually(() => !world.pod("unjudged"), "one that is deleted meanwhile goes");
  world.putNode({}, {}, {});
  await eventually(() => phase("p") === "Failed", "the rejection");
  expect(world.pod()?.status?.reason).toBe("NodeAffinity");
});
