import type { Node } from "kubernetes-types/core/v1.js";
import type { OwnerReference } from "kubernetes-types/meta/v1.js";
import { pino } from "pino";
import { describe, expect, it } from "vitest";
import { as } from "../api/object.ts";
import { FixedChance, nodeObject, podObject, podOf, put, testStorage } from "../testing/objects.ts";
import { EventRecorder } from "./event-recorder.ts";
import { expireEvents, PodSweeper } from "./expiry.ts";
import { GarbageCollector } from "./garbage-collector.ts";
import { KeyQueue } from "./key-queue.ts";
import { nodeTaints } from "./node-lifecycle.ts";

const logger = pino({ level: "silent" });

describe("event recorder", () => {
  it("counts the same event instead of writing it again, and events end after an hour", () => {
    const chance = new FixedChance();
    const storage = testStorage(chance);
    const events = new EventRecorder(storage);
    const object = put(storage, "pods", podObject("web"));
    const about = { definition: storage.must("pods"), object };
    events.record("tester", about, "Warning", "Odd", "It is odd.");
    chance.time += 60_000;
    events.record("tester", about, "Warning", "Odd", "It is odd.");
    events.record("tester", about, "Normal", "Even", "It is even.");
    const list = storage.storeOf("events").list();
    expect(list.map((event) => [event.reason, event.count])).toEqual(
      expect.arrayContaining([
        ["Odd", 2],
        ["Even", 1],
      ]),
    );
    expect(list[0]).toMatchObject({
      involvedObject: { kind: "Pod", name: "web", uid: object.metadata.uid },
    });
    chance.time += 3_599_000;
    expireEvents(storage);
    expect(storage.storeOf("events").size).toBe(2);
    chance.time += 2_000;
    expireEvents(storage);
    expect(storage.storeOf("events").size).toBe(0);
  });
});

describe("pod sweeper", () => {
  it("removes a pod whose node is gone for 40 s, not before", () => {
    const chance = new FixedChance();
    const storage = testStorage(chance);
    const sweeper = new PodSweeper(storage);
    put(storage, "nodes", nodeObject("there"));
    put(storage, "pods", podObject("safe", { nodeName: "there" }));
    put(storage, "pods", podObject("lost", { nodeName: "gone" }));
    const seen: (string | undefined)[] = [];
    storage.storeOf("pods").subscribe((event) => seen.push(podOf(event.object).status?.phase));
    sweeper.sweep();
    chance.time += 39_000;
    sweeper.sweep();
    expect(storage.storeOf("pods").size).toBe(2);
    chance.time += 1_000;
    sweeper.sweep();
    expect(
      storage
        .storeOf("pods")
        .list()
        .map((pod) => pod.metadata.name),
    ).toEqual(["safe"]);
    expect(seen[0]).toBe("Failed");
  });
});

describe("taints of a node", () => {
  const node = (ready: string | undefined, more: object = {}): Node => {
    const conditions = ready === undefined ? [] : [{ type: "Ready", status: ready }];
    const made: unknown = {
      spec: { taints: [{ key: "own", effect: "NoSchedule" }], ...more },
      status: { conditions },
    };
    return made as Node;
  };
  it.each([
    [node("True"), ["own:NoSchedule"]],
    [node(undefined), ["own:NoSchedule", "node.kubernetes.io/not-ready:NoSchedule"]],
    [
      node("False"),
      [
        "own:NoSchedule",
        "node.kubernetes.io/not-ready:NoSchedule",
        "node.kubernetes.io/not-ready:NoExecute",
      ],
    ],
    [
      node("Unknown"),
      [
        "own:NoSchedule",
        "node.kubernetes.io/unreachable:NoSchedule",
        "node.kubernetes.io/unreachable:NoExecute",
      ],
    ],
    [
      node("True", { unschedulable: true }),
      ["own:NoSchedule", "node.kubernetes.io/unschedulable:NoSchedule"],
    ],
  ])("follow from its conditions: %#", (given, expected) => {
    expect(nodeTaints(given).map((taint) => `${taint.key}:${taint.effect}`)).toEqual(expected);
  });

  it("go when their reason has gone", () => {
    const taints = [{ key: "node.kubernetes.io/not-ready", effect: "NoSchedule" }];
    expect(nodeTaints(as<Node>({ ...nodeObject("n"), spec: { taints } }))).toEqual([]);
  });
});

describe("garbage collector", () => {
  it("deletes what has lost its only owner and trims what has another", async () => {
    const storage = testStorage();
    const collector = new GarbageCollector({ storage, logger, events: new EventRecorder(storage) });
    collector.start();
    const owner = (name: string) => {
      const made = put(storage, "configmaps", { metadata: { name, namespace: "default" } });
      return { apiVersion: "v1", kind: "ConfigMap", name, uid: made.metadata.uid ?? "" };
    };
    const [first, second] = [owner("first"), owner("second")];
    const owned = (name: string, ownerReferences: object[]): void => {
      put(storage, "secrets", {
        metadata: {
          name,
          namespace: "default",
          ownerReferences: ownerReferences as OwnerReference[],
        },
      });
    };
    owned("one", [first]);
    owned("both", [first, second]);
    owned("stranger", [
      { apiVersion: "apps/v1", kind: "Deployment", name: "x", uid: "not-served-here" },
    ]);
    storage.storeOf("configmaps").remove("default/first");
    await expect.poll(() => storage.find("secrets", "default", "one")).toBeUndefined();
    expect(storage.find("secrets", "default", "both")?.metadata.ownerReferences).toEqual([second]);
    expect(storage.find("secrets", "default", "stranger")).toBeDefined();
    collector.stop();
  });
});

describe("key queue", () => {
  it("handles a key once however often it was added, and again after an error", async () => {
    const handled: string[] = [];
    let fail = true;
    const queue = new KeyQueue("test", logger, (key) => {
      handled.push(key);
      if (key === "b" && fail) {
        fail = false;
        throw new Error("first time");
      }
    });
    for (const key of ["a", "b", "a", "a"]) queue.add(key);
    await expect.poll(() => handled).toEqual(["a", "b", "b"]);
    queue.stop();
    queue.add("c");
    queue.flush();
    expect(handled).toHaveLength(3);
  });
});
