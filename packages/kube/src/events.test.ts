import type { Event } from "kubernetes-types/core/v1.js";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { KubeClient } from "./client.ts";
import { EventCorrelator, type Happening } from "./event-correlator.ts";
import { createEventRecorder, type EventRecorder, nodeReference, podReference } from "./events.ts";
import { createKubeClient } from "./http-client.ts";
import { loadKubeCredentials } from "./load-credentials.ts";
import { FakeApiServer } from "./testing/fake-api-server.ts";

const pod = {
  metadata: { name: "p", namespace: "ns", uid: "u", resourceVersion: "7" },
  spec: { containers: [{ name: "app" }], initContainers: [{ name: "init" }] },
};

const happening = (atMs: number, message = "m", reason = "r"): Happening => ({
  about: podReference(pod),
  type: "Normal",
  reason,
  message,
  atMs,
});

describe("EventCorrelator", () => {
  it("counts the same event on the first one", () => {
    const correlator = new EventCorrelator();
    const first = correlator.plan(happening(0));
    expect(first).toMatchObject({ do: "create", count: 1, firstMs: 0 });
    if (first.do !== "create") throw new Error("unreachable");
    correlator.created(first.key, "p.1");
    expect(correlator.plan(happening(5))).toMatchObject({
      do: "count",
      name: "p.1",
      count: 2,
      firstMs: 0,
    });
  });

  it("combines the tenth of similar events, and counts on the combined one", () => {
    const correlator = new EventCorrelator();
    const plans = Array.from({ length: 11 }, (_, i) => {
      const plan = correlator.plan(happening(i, `message ${i}`));
      if (plan.do === "create") correlator.created(plan.key, `name${i}`);
      return plan;
    });
    expect(plans.slice(0, 9).every((plan) => plan.do === "create")).toBe(true);
    expect(plans[9]).toMatchObject({
      do: "create",
      message: "(combined from similar events): message 9",
    });
    expect(plans[10]).toMatchObject({ do: "count", name: "name9", count: 2 });
  });

  it("forgets similar events after ten minutes", () => {
    const correlator = new EventCorrelator();
    for (let i = 0; i < 9; i += 1) correlator.plan(happening(i, `message ${i}`));
    expect(correlator.plan(happening(700_000, "message 9"))).toMatchObject({
      message: "message 9",
    });
  });

  it("drops what one object has too much of, but not another object's events", () => {
    const correlator = new EventCorrelator();
    const plans = Array.from({ length: 30 }, (_, i) => correlator.plan(happening(0, "m", `r${i}`)));
    expect(plans.filter((plan) => plan.do === "drop")).toHaveLength(5);
    expect(correlator.plan({ ...happening(0), about: nodeReference("n") }).do).toBe("create");
    expect(correlator.plan(happening(300_000, "m", "later")).do).toBe("create");
  });
});

describe("EventRecorder", () => {
  let fake: FakeApiServer;
  let client: KubeClient;
  let recorder: EventRecorder;
  let problems: string[];

  beforeEach(async () => {
    fake = await FakeApiServer.start();
    client = createKubeClient(await loadKubeCredentials({ kubeconfigYaml: fake.kubeconfigYaml }));
    problems = [];
    recorder = createEventRecorder({
      client,
      host: "node-1",
      now: () => 1_700_000_000_123,
      retryMs: 1,
      problem: (error) => problems.push(error.message),
    });
  });

  afterEach(async () => {
    await recorder.close();
    await client.close();
    await fake[Symbol.asyncDispose]();
  });

  const bodies = (): Event[] => fake.requests.map((one) => one.body as Event);

  it("makes no word of events in a namespace that is being deleted", async () => {
    const causes = [{ reason: "NamespaceTerminating" }];
    fake.inject(() => true, { kind: "status", code: 403, reason: "Forbidden", causes });
    recorder.record(podReference(pod), "Normal", "Killing", "Stopping container c");
    await recorder.flushed();
    expect(problems).toEqual([]);
    fake.inject(() => true, { kind: "status", code: 403, reason: "Forbidden" });
    recorder.record(podReference(pod), "Normal", "Killing", "Stopping container d");
    await recorder.flushed();
    expect(problems).toHaveLength(1);
  });

  it("writes an event as a kubelet does", async () => {
    recorder.record(podReference(pod, "init"), "Warning", "BackOff", "Back-off");
    await recorder.flushed();
    expect(fake.requests[0]?.path).toBe("/api/v1/namespaces/ns/events");
    expect(bodies()[0]).toEqual({
      apiVersion: "v1",
      kind: "Event",
      metadata: { name: `p.${(1_700_000_000_123_000_000n).toString(16)}`, namespace: "ns" },
      involvedObject: {
        apiVersion: "v1",
        kind: "Pod",
        name: "p",
        namespace: "ns",
        uid: "u",
        resourceVersion: "7",
        fieldPath: "spec.initContainers{init}",
      },
      reason: "BackOff",
      message: "Back-off",
      type: "Warning",
      source: { component: "kubelet", host: "node-1" },
      reportingComponent: "kubelet",
      reportingInstance: "node-1",
      firstTimestamp: "2023-11-14T22:13:20Z",
      lastTimestamp: "2023-11-14T22:13:20Z",
      count: 1,
    });
  });

  it("counts a repeated event by PATCH, and writes it anew when it has run out", async () => {
    recorder.record(podReference(pod), "Normal", "r", "m");
    recorder.record(podReference(pod), "Normal", "r", "m");
    await recorder.flushed();
    expect(fake.requests.map((one) => one.method)).toEqual(["POST", "PATCH"]);
    expect(bodies()[1]).toMatchObject({ count: 2 });
    fake.remove(`/api/v1/namespaces/ns/events/${bodies()[0]?.metadata.name}`);
    recorder.record(podReference(pod), "Normal", "r", "m");
    await recorder.flushed();
    expect(bodies().at(-1)).toMatchObject({ kind: "Event", count: 3 });
  });

  it("puts events of a node into the namespace default", async () => {
    recorder.record(nodeReference("n"), "Normal", "NodeReady", "m");
    await recorder.flushed();
    expect(fake.requests[0]?.path).toBe("/api/v1/namespaces/default/events");
  });

  it("tries again when the server is away, not when it refuses", async () => {
    fake.inject(() => true, { kind: "drop" }, 3);
    recorder.record(podReference(pod), "Normal", "r", "m");
    await recorder.flushed();
    expect(fake.requests).toHaveLength(4);
    fake.inject(() => true, { kind: "status", code: 403, reason: "Forbidden" });
    recorder.record(podReference(pod), "Normal", "r2", "m");
    await recorder.flushed();
    expect(fake.requests).toHaveLength(5);
    expect(problems).toHaveLength(1);
  });

  it("drops the oldest when a thousand wait, and never makes the caller wait", async () => {
    for (let i = 0; i < 1100; i += 1) {
      const about = { ...podReference(pod), name: `p${i}`, uid: `u${i}` };
      recorder.record(about, "Normal", "r", "m");
    }
    expect(recorder.dropped).toBe(100);
    await recorder.close(0);
    expect(fake.requests.length).toBeLessThan(1000);
  });

  it("writes no faster than its rate, and waits with the queue, not with who records", async () => {
    let nowMs = 0;
    await using slow = createEventRecorder({
      client,
      host: "node-1",
      rate: { perSecond: 1000, burst: 2 },
      now: () => (nowMs += 0.1),
    });
    for (let i = 0; i < 5; i += 1) slow.record(podReference(pod), "Normal", `r${i}`, "m");
    expect(fake.requests).toHaveLength(0);
    await slow.flushed();
    expect(fake.requests).toHaveLength(5);
  });

  it("combines what only differs in its words, and counts on by PATCH", async () => {
    for (let i = 0; i < 12; i += 1) recorder.record(podReference(pod), "Warning", "Failed", `${i}`);
    await recorder.flushed();
    const methods = fake.requests.map(({ method }) => method);
    expect(methods).toEqual([...Array(10).fill("POST"), "PATCH", "PATCH"]);
    expect(bodies()[9]?.message).toBe("(combined from similar events): 9");
    expect(bodies()[11]).toMatchObject({
      count: 3,
      message: "(combined from similar events): 11",
      lastTimestamp: expect.any(String),
    });
  });

  it("keeps one pod from flooding the server, and lets another one speak", async () => {
    for (let i = 0; i < 100; i += 1) recorder.record(podReference(pod), "Normal", `r${i}`, "m");
    const other = { ...podReference(pod), name: "other", uid: "other" };
    recorder.record(other, "Normal", "r", "m");
    await recorder.flushed();
    expect(fake.requests).toHaveLength(26);
    expect(bodies().at(-1)?.involvedObject.name).toBe("other");
  });

  it("cuts long messages between characters", async () => {
    recorder.record(podReference(pod), "Normal", "r", "é".repeat(1000));
    await recorder.flushed();
    const message = bodies()[0]?.message ?? "";
    expect(Buffer.byteLength(message)).toBeLessThanOrEqual(1024);
    expect(message).toMatch(/^é+…$/);
  });
});
