import {
  createEventRecorder,
  createKubeClient,
  type EventRecorder,
  type KubeClient,
  loadKubeCredentials,
} from "@interlink/kube";
import { eventually, FakeApiServer, type SeenRequest } from "@interlink/kube/testing";
import type { Node } from "kubernetes-types/core/v1.js";
import { pino } from "pino";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { NodeOptions } from "./node-options.ts";
import { NodeRegistration, type RegistrationTiming } from "./node-registration.ts";

const options: NodeOptions = {
  name: "n",
  version: "0.1.0",
  capacity: { cpu: "1" },
  addresses: [{ type: "InternalIP", address: "10.0.0.1" }],
  kubeletPort: 10_250,
};
const path = "/api/v1/nodes/n";
const isStatusPatch = (one: SeenRequest): boolean =>
  one.method === "PATCH" && one.path === `${path}/status`;

let fake: FakeApiServer;
let client: KubeClient;
let events: EventRecorder;
let stop: AbortController;
let runs: Promise<void>[];
let uids: string[];

beforeEach(async () => {
  fake = await FakeApiServer.start();
  client = createKubeClient(await loadKubeCredentials({ kubeconfigYaml: fake.kubeconfigYaml }));
  events = createEventRecorder({ client, host: "n" });
  stop = new AbortController();
  runs = [];
  uids = [];
});

afterEach(async () => {
  stop.abort();
  await Promise.all(runs);
  await events.close();
  await client.close();
  await fake[Symbol.asyncDispose]();
});

function start(
  timing: Partial<RegistrationTiming> = {},
  changed: Partial<NodeOptions> = {},
): NodeRegistration {
  const registration = new NodeRegistration(
    { ...options, ...changed },
    {
      client,
      events,
      logger: pino({ level: "silent" }),
      registered: (uid) => uids.push(uid),
      timing: { computeMs: 3_600_000, ...timing },
    },
  );
  runs.push(registration.run(stop.signal));
  return registration;
}

const live = (): Node | undefined => fake.object(path) as Node | undefined;
const put = (node: Node): unknown => fake.put(path, node);
const condition = (type: string): string | undefined =>
  live()?.status?.conditions?.find((one) => one.type === type)?.status;
const taints = (): string[] => (live()?.spec?.taints ?? []).map((one) => one.key);
const reasons = (): string[] =>
  fake.requests
    .filter((one) => one.path.endsWith("/events"))
    .map((one) => (one.body as { reason: string }).reason);
const own = "virtual-node.interlink/no-schedule";

describe("NodeRegistration", () => {
  it("creates the node, not ready until told, then ready, with a kubelet's events", async () => {
    const registration = start();
    const node = await registration.registered();
    expect(uids).toEqual([node.metadata?.uid]);
    expect(condition("Ready")).toBe("False");
    registration.setNotReady(undefined);
    await eventually(() => condition("Ready") === "True");
    await eventually(() => reasons().includes("NodeReady"));
    expect(reasons()[0]).toBe("Starting");
    expect(reasons()).toContain("NodeHasNoDiskPressure");
    expect(registration.state()).toBe("registered");
  });

  it("tries until the server lets it in", async () => {
    fake.inject((one) => one.method === "POST", { kind: "drop" });
    fake.inject((one) => one.method === "POST", { kind: "status", code: 500 });
    await start().registered();
    expect(live()).toBeDefined();
  });

  it("adopts a node that exists, keeping what others put on it", async () => {
    put({
      metadata: {
        labels: { theirs: "1", "kubernetes.io/os": "virtual-kubelet" },
        annotations: {
          "virtual-node.interlink/applied-taints": "old-ours:NoSchedule",
          "virtual-node.interlink/applied-resources": "cpu,old.com/gpu",
        },
      },
      spec: {
        unschedulable: true,
        taints: [
          { key: "old-ours", effect: "NoSchedule" },
          { key: "theirs", effect: "NoExecute" },
        ],
      },
      status: {
        capacity: { cpu: "99", "old.com/gpu": "1", "their.com/dongle": "3" },
        conditions: [{ type: "KernelDeadlock", status: "False" }],
      },
    });
    const uid = live()?.metadata?.uid;
    start();
    await eventually(() => condition("Ready") === "False");
    const node = live();
    expect(node?.metadata?.uid).toBe(uid);
    expect(node?.metadata?.labels).toMatchObject({ theirs: "1", "kubernetes.io/os": "linux" });
    expect(taints()).toEqual([own, "theirs"]);
    expect(node?.spec?.unschedulable).toBe(true);
    expect(node?.status?.capacity).toMatchObject({ cpu: "1", "their.com/dongle": "3" });
    expect(node?.status?.capacity).not.toHaveProperty("old.com/gpu");
    expect(condition("KernelDeadlock")).toBe("False");
  });

  it("keeps a ready node ready while it starts, but not for longer than its grace", async () => {
    put({ status: { conditions: [{ type: "Ready", status: "True" }] } });
    let now = 0;
    const registration = start({ computeMs: 1, now: () => new Date(now) });
    await eventually(() => condition("DiskPressure") === "False");
    expect(condition("Ready")).toBe("True");
    now = 30_000;
    await eventually(() => condition("Ready") === "False");
    registration.setNotReady(undefined);
    await eventually(() => condition("Ready") === "True");
  });

  it("makes the node anew at once when somebody deletes it", async () => {
    const registration = start();
    await registration.registered();
    await eventually(() => fake.watches === 1);
    fake.remove(path);
    await eventually(() => uids.length === 2);
    expect(live()?.metadata?.uid).toBe(uids[1]);
    expect(uids[0]).not.toBe(uids[1]);
  });

  it("tells a failed ping and leaves the node ready", async () => {
    const registration = start();
    registration.setNotReady(undefined);
    registration.pinged({ ok: true, raw: "pong", answer: undefined });
    await eventually(() => condition("InterlinkConnectivity") === "True");
    registration.pinged({ ok: false, error: new Error("refused") });
    await eventually(() => condition("InterlinkConnectivity") === "False");
    expect(condition("Ready")).toBe("True");
    expect(live()?.metadata?.annotations?.["interlink.virtual-kubelet.io/ping-response"]).toBe("");
    await eventually(() => reasons().includes("InterlinkPingFailed"));
  });

  it("puts capacity and taints from the ping on the node, and takes the taints off again", async () => {
    const registration = start();
    await registration.registered();
    const drain = { key: "drain", effect: "NoExecute" };
    const resources = {
      cpu: "7",
      "ephemeral-storage": "250Gi",
      accelerators: [{ resourceType: "a.b/c", available: "2" }],
    };
    registration.pinged({ ok: true, raw: "{}", answer: { resources, taints: [drain] } });
    await eventually(() => live()?.status?.capacity?.["a.b/c"] === "2");
    expect(live()?.status?.allocatable).toMatchObject({
      cpu: "7",
      "ephemeral-storage": "250Gi",
      "a.b/c": "2",
    });
    expect(taints()).toEqual([own, "drain"]);
    registration.pinged({ ok: true, raw: "{}", answer: { taints: [] } });
    await eventually(() => taints().length === 1);
  });

  it("keeps a taint that another writer adds at the same moment", async () => {
    const registration = start();
    const node = await registration.registered();
    fake.inject((one) => one.path === path && one.method === "PATCH", {
      kind: "status",
      code: 409,
      reason: "Conflict",
    });
    put({
      ...node,
      spec: { taints: [...(node.spec?.taints ?? []), { key: "new", effect: "NoExecute" }] },
    });
    registration.pinged({
      ok: true,
      raw: "{}",
      answer: { taints: [{ key: "drain", effect: "NoSchedule" }] },
    });
    await eventually(() => taints().includes("drain"));
    expect(taints().sort()).toEqual(["drain", "new", own].sort());
  });

  it("goes on without taints while the cluster forbids them, and asks again later", async () => {
    let now = 0;
    const isTaintPatch = (one: SeenRequest) => one.path === path && one.method === "PATCH";
    const registration = start({ computeMs: 1, now: () => new Date(now) });
    await registration.registered();
    fake.inject(isTaintPatch, { kind: "status", code: 403, reason: "Forbidden" });
    const answer = { taints: [{ key: "drain" }], resources: { cpu: "3" } };
    registration.pinged({ ok: true, raw: "{}", answer });
    await eventually(() => live()?.status?.capacity?.["cpu"] === "3");
    expect(fake.requests.filter(isTaintPatch)).toHaveLength(1);
    expect(taints()).toEqual([own]);
    now += 60_000;
    await eventually(() => taints().includes("drain"));
  });

  it("sets only what a node may set on itself when NodeRestriction watches it", async () => {
    const labels = { "node-role.kubernetes.io/gpu": "", team: "blue" };
    const registration = start({}, { restricted: true, labels });
    const node = await registration.registered();
    expect(node.metadata?.labels).toMatchObject({ team: "blue", type: "virtual-kubelet" });
    expect(node.metadata?.labels).not.toHaveProperty(["kubernetes.io/role"]);
    expect(node.metadata?.labels).not.toHaveProperty(["node-role.kubernetes.io/gpu"]);
    expect(taints()).toEqual([own]);
    const answer = { taints: [{ key: "drain" }], resources: { cpu: "3" } };
    registration.pinged({ ok: true, raw: "{}", answer });
    await eventually(() => live()?.status?.capacity?.["cpu"] === "3");
    expect(fake.requests.filter((one) => one.path === path && one.method === "PATCH")).toEqual([]);
  });

  it("asserts its own labels again, takes off those of an earlier configuration, and leaves the others", async () => {
    put({
      metadata: {
        labels: { theirs: "1", old: "x", "kubernetes.io/os": "linux", team: "red" },
        annotations: { "virtual-node.interlink/applied-labels": "old,team" },
      },
    });
    const registration = start({ computeMs: 1 }, { labels: { team: "blue" } });
    await registration.registered();
    await eventually(() => live()?.metadata?.labels?.["team"] === "blue");
    expect(live()?.metadata?.labels).toMatchObject({ theirs: "1" });
    expect(live()?.metadata?.labels).not.toHaveProperty("old");
    put({
      ...live(),
      metadata: { ...live()?.metadata, labels: { team: "red", "beta.kubernetes.io/os": "linux" } },
    });
    await eventually(() => live()?.metadata?.labels?.["team"] === "blue");
  });

  it("registers cordoned when asked to, and tells when somebody cordons it or takes that off", async () => {
    const registration = start({}, { cordoned: true });
    const node = await registration.registered();
    expect(node.spec?.unschedulable).toBe(true);
    await eventually(() => fake.watches === 1);
    put({ ...live(), spec: { ...live()?.spec, unschedulable: false } });
    await eventually(() => reasons().includes("NodeSchedulable"));
    put({ ...live(), spec: { ...live()?.spec, unschedulable: true } });
    await eventually(() => reasons().includes("NodeNotSchedulable"));
  });

  it("replaces its addresses when they change, old ones of the same type included", async () => {
    const registration = start();
    await registration.registered();
    registration.setAddresses([{ type: "InternalIP", address: "10.9.9.9" }]);
    await eventually(() => live()?.status?.addresses?.[0]?.address === "10.9.9.9");
    expect(live()?.status?.addresses).toEqual([
      { type: "InternalIP", address: "10.9.9.9" },
      { type: "Hostname", address: "10.9.9.9" },
    ]);
  });

  it("takes an accelerator off that the site offers no longer, and keeps one of somebody else", async () => {
    const registration = start({}, { capacity: { cpu: "1", "conf.com/gpu": "1" } });
    await registration.registered();
    const ping = (accelerators: { resourceType: string; available: string }[]): void =>
      registration.pinged({ ok: true, raw: "{}", answer: { resources: { accelerators } } });
    ping([
      { resourceType: "a.b/c", available: "2" },
      { resourceType: "conf.com/gpu", available: "5" },
    ]);
    await eventually(() => live()?.status?.capacity?.["a.b/c"] === "2");
    const { status = {} } = live() ?? {};
    put({ ...live(), status: { ...status, capacity: { ...status.capacity, "their.com/x": "1" } } });
    await eventually(() => registration.node()?.status?.capacity?.["their.com/x"] === "1");
    ping([]);
    await eventually(() => live()?.status?.capacity?.["a.b/c"] === undefined);
    expect(live()?.status?.capacity).toMatchObject({ "conf.com/gpu": "1", "their.com/x": "1" });
    expect(live()?.status?.allocatable).not.toHaveProperty(["a.b/c"]);
  });

  it("writes nothing while nothing happens, and a heartbeat when the report is due", async () => {
    let now = Date.parse("2026-01-01T00:00:00Z");
    const registration = start({ computeMs: 1, now: () => new Date(now), random: () => 0.5 });
    registration.setNotReady(undefined);
    await eventually(() => condition("Ready") === "True");
    const patches = (): number => fake.requests.filter(isStatusPatch).length;
    const before = patches();
    now += 299_000;
    // A change of another writer comes through the watch: by then many looks have been taken.
    put({
      ...live(),
      metadata: { ...live()?.metadata, labels: { ...live()?.metadata?.labels, x: "y" } },
    });
    await eventually(() => registration.node()?.metadata?.labels?.["x"] === "y");
    expect(patches()).toBe(before);
    now += 1000;
    await eventually(() => patches() === before + 1);
    const heartbeat = fake.requests.filter(isStatusPatch).at(-1)?.body as { status: object };
    expect(Object.keys(heartbeat.status)).toEqual(["conditions"]);
  });

  it("keeps trying when the status cannot be written", async () => {
    const registration = start();
    await registration.registered();
    fake.inject(isStatusPatch, { kind: "status", code: 500 }, 2);
    registration.setNotReady(undefined);
    await eventually(() => condition("Ready") === "True");
  });
});
