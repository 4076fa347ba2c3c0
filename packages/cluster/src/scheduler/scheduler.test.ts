import type { Node, PodSpec } from "kubernetes-types/core/v1.js";
import { pino } from "pino";
import { afterEach, describe, expect, it } from "vitest";
import { as, clone } from "../api/object.ts";
import { EventRecorder } from "../controllers/event-recorder.ts";
import { deleteObject } from "../rest/delete.ts";
import { updateObject } from "../rest/update.ts";
import type { Storage } from "../storage/storage.ts";
import { nodeObject, podObject, podOf, put, testCall, testStorage } from "../testing/objects.ts";
import { type Candidate, failureMessage, refuse, tolerates } from "./filters.ts";
import { amountsOf, podRequests } from "./requests.ts";
import { Scheduler } from "./scheduler.ts";

describe("toleration", () => {
  const taint = { key: "k", value: "v", effect: "NoSchedule" };
  it.each([
    [{ key: "k", operator: "Exists" }, true],
    [{ key: "k", value: "v" }, true],
    [{ key: "k", operator: "Equal", value: "other" }, false],
    [{ operator: "Exists" }, true],
    [{ key: "k", operator: "Exists", effect: "NoExecute" }, false],
    [{ key: "x", operator: "Exists" }, false],
  ])("%j tolerates: %s", (toleration, expected) => {
    expect(tolerates(toleration, taint)).toBe(expected);
  });
});

describe("requests of a pod", () => {
  const container = (cpu: string, restartPolicy?: string) => ({
    name: "x",
    image: "y",
    resources: { requests: { cpu } },
    ...(restartPolicy ? { restartPolicy } : {}),
  });
  it("are the containers' together", () => {
    expect(podRequests({ containers: [container("1"), container("500m")] })).toEqual({ cpu: 1500 });
  });
  it("are the largest init container's when that is more", () => {
    const spec = { containers: [container("1")], initContainers: [container("3"), container("2")] };
    expect(podRequests(spec)).toEqual({ cpu: 3000 });
  });
  it("count sidecars with the containers and with later init containers", () => {
    const spec = {
      containers: [container("1")],
      initContainers: [container("2", "Always"), container("4")],
    };
    expect(podRequests(spec)).toEqual({ cpu: 6000 });
  });
});

describe("fit", () => {
  const candidate = (options: Parameters<typeof nodeObject>[1] = {}): Candidate => {
    const node = as<Node>(nodeObject("n", options));
    return { node, allocatable: amountsOf(node.status?.capacity), used: {}, pods: 0 };
  };
  const spec = (more: Partial<PodSpec>): PodSpec => ({ containers: [{ name: "a" }], ...more });
  const affinity = (operator: string, values: string[]): Partial<PodSpec> => ({
    affinity: {
      nodeAffinity: {
        requiredDuringSchedulingIgnoredDuringExecution: {
          nodeSelectorTerms: [{ matchExpressions: [{ key: "zone", operator, values }] }],
        },
      },
    },
  });
  const requests = (cpu: string): Partial<PodSpec> => ({
    containers: [{ name: "a", resources: { requests: { cpu, "example.com/gpu": "1" } } }],
  });

  it.each<[Partial<PodSpec>, Candidate, readonly string[] | undefined]>([
    [{}, candidate(), undefined],
    [{}, candidate({ unschedulable: true }), ["node(s) were unschedulable"]],
    [
      {},
      candidate({ taints: [{ key: "a", value: "b", effect: "NoSchedule" }] }),
      ["node(s) had untolerated taint {a: b}"],
    ],
    [{}, candidate({ taints: [{ key: "a", effect: "PreferNoSchedule" }] }), undefined],
    [
      { nodeSelector: { zone: "a" } },
      candidate(),
      ["node(s) didn't match Pod's node affinity/selector"],
    ],
    [{ nodeSelector: { zone: "a" } }, candidate({ labels: { zone: "a" } }), undefined],
    [
      affinity("In", ["a"]),
      candidate({ labels: { zone: "b" } }),
      ["node(s) didn't match Pod's node affinity/selector"],
    ],
    [affinity("NotIn", ["a"]), candidate({ labels: { zone: "b" } }), undefined],
    [requests("9"), candidate(), ["Insufficient cpu", "Insufficient example.com/gpu"]],
    [{}, candidate({ allocatable: { cpu: "1", pods: "0" } }), ["Too many pods"]],
  ])("of %j", (more, on, reasons) => {
    const full = spec(more);
    expect(refuse(full, podRequests(full), on)?.reasons).toEqual(reasons);
  });

  it("is explained in the scheduler's words", () => {
    const message = failureMessage([
      { reasons: ["Insufficient cpu"], resolvable: true },
      { reasons: ["node(s) were unschedulable"], resolvable: false },
      { reasons: ["Insufficient cpu"], resolvable: true },
    ]);
    expect(message).toBe(
      "0/3 nodes are available: 1 node(s) were unschedulable, 2 Insufficient cpu. preemption: 0/3 nodes are available: 1 Preemption is not helpful for scheduling, 2 No preemption victims found for incoming pod.",
    );
    expect(failureMessage([])).toBe("no nodes available to schedule pods");
  });
});

describe("scheduler", () => {
  const running: Scheduler[] = [];
  afterEach(() => {
    for (const scheduler of running.splice(0)) scheduler.stop();
  });

  function start(): Storage {
    const storage = testStorage();
    const events = new EventRecorder(storage);
    const scheduler = new Scheduler({ storage, events, logger: pino({ level: "silent" }) });
    scheduler.start();
    running.push(scheduler);
    return storage;
  }
  const addNode = (
    storage: Storage,
    name: string,
    options: Parameters<typeof nodeObject>[1] = {},
  ): void => {
    put(storage, "nodes", nodeObject(name, options));
    updateObject(
      storage,
      { definition: storage.must("nodes"), namespace: undefined },
      name,
      (current) => {
        const next = clone(current);
        next.spec = { ...(next.spec as object), taints: options.taints ?? [] };
        return next;
      },
      testCall,
    );
  };
  const nodeOf = (storage: Storage, name: string) =>
    podOf(storage.find("pods", "default", name)).spec?.nodeName;

  it("spreads pods over nodes and says where each went", async () => {
    const storage = start();
    addNode(storage, "one");
    addNode(storage, "two");
    for (const name of ["a", "b", "c", "d"]) put(storage, "pods", podObject(name));
    await expect.poll(() => nodeOf(storage, "d")).toBeDefined();
    const used = ["a", "b", "c", "d"].map((name) => nodeOf(storage, name));
    expect(used.filter((name) => name === "one")).toHaveLength(2);
    const messages = storage
      .storeOf("events")
      .list()
      .map((event) => event.message);
    expect(messages).toContain(`Successfully assigned default/a to ${used[0]}`);
    expect(podOf(storage.find("pods", "default", "a")).status?.conditions?.[0]).toMatchObject({
      type: "PodScheduled",
      status: "True",
    });
  });

  it("lets a pod wait with a reason until a pod goes that was in its way", async () => {
    const storage = start();
    addNode(storage, "small", { allocatable: { cpu: "1", memory: "1Gi", pods: "1" } });
    put(storage, "pods", podObject("first"));
    await expect.poll(() => nodeOf(storage, "first")).toBe("small");
    put(storage, "pods", podObject("second"));
    const unscheduled = () =>
      podOf(storage.find("pods", "default", "second")).status?.conditions?.[0];
    await expect.poll(unscheduled).toMatchObject({ status: "False", reason: "Unschedulable" });
    expect(unscheduled()?.message).toContain("0/1 nodes are available: 1 Too many pods.");
    deleteObject(
      storage,
      { definition: storage.must("pods"), namespace: "default" },
      "first",
      { gracePeriodSeconds: 0 },
      testCall,
    );
    await expect.poll(() => nodeOf(storage, "second")).toBe("small");
  });

  it("leaves alone what asks for another scheduler or is gated", async () => {
    const storage = start();
    addNode(storage, "one");
    put(storage, "pods", podObject("other", { schedulerName: "mine" }));
    put(storage, "pods", podObject("gated", { schedulingGates: [{ name: "wait" }] }));
    put(storage, "pods", podObject("plain"));
    await expect.poll(() => nodeOf(storage, "plain")).toBe("one");
    expect(nodeOf(storage, "other")).toBeUndefined();
    expect(nodeOf(storage, "gated")).toBeUndefined();
  });
});
