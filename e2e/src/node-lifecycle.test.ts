import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Event, Node } from "kubernetes-types/core/v1.js";
import { afterAll, beforeAll, expect, test } from "vitest";
import { podManifest } from "./harness/manifest.ts";
import { System } from "./harness/system.ts";
import { TellingPlugin } from "./node-lifecycle/telling-plugin.ts";
import { describeClusters } from "./systems/describe-system.ts";
import { waitUntil } from "./systems/wait-until.ts";

const READY_AFTER_S = 3;

describeClusters("the Node object of a virtual node", (target) => {
  let system: System;

  beforeAll(async () => {
    system = await System.start({
      plugin: { name: "process" },
      target,
      nodeFlags: [
        "--label=team=blue",
        "--taint=example.com/special=yes:PreferNoSchedule",
        "--resource=example.com/licence=2",
        `--not-ready-after=${READY_AFTER_S}`,
      ],
    });
  });
  afterAll(async () => {
    await system?.[Symbol.asyncDispose]();
  });

  const kubectl = (...args: string[]) => system.kubectl.run(args);
  const node = () => system.node();
  const condition = async (type: string) =>
    (await node()).status?.conditions?.find((one) => one.type === type);
  const is = (type: string, status: string, milliseconds = 30_000) =>
    waitUntil(
      `condition ${type} is ${status}`,
      async () => (await condition(type))?.status === status,
      milliseconds,
    );
  const hasEvent = (reason: string) =>
    waitUntil(`an event ${reason} of the node`, async () => {
      const { items } = await system.kubectl.json<{ items: Event[] }>([
        "get",
        "events",
        "-n",
        "default",
      ]);
      return items.some((one) => one.involvedObject.kind === "Node" && one.reason === reason);
    });
  const applied = (name: string, options: Parameters<typeof podManifest>[1]) =>
    system.kubectl.run(["apply", "-f", "-"], { input: podManifest(name, options) });

  test("has what a kubelet's has", async () => {
    const { metadata, spec, status } = await node();
    expect(metadata?.labels).toMatchObject({ team: "blue", "kubernetes.io/hostname": "virtual" });
    expect(spec?.taints?.map(({ key, effect }) => `${key}:${effect}`)).toEqual(
      expect.arrayContaining([
        "virtual-node.interlink/no-schedule:NoSchedule",
        "example.com/special:PreferNoSchedule",
      ]),
    );
    expect(status?.capacity).toMatchObject({
      "example.com/licence": "2",
      pods: expect.any(String),
    });
    expect(status?.allocatable).toEqual(status?.capacity);
    expect(status?.nodeInfo?.kubeletVersion).toMatch(/^v1\.\d+\.\d+-interlink-/);
    expect(status?.daemonEndpoints?.kubeletEndpoint?.Port).toBeGreaterThan(0);
    expect(status?.addresses).toContainEqual({ type: "InternalIP", address: "127.0.0.1" });
    expect(status?.conditions?.map(({ type, status: one }) => `${type}=${one}`)).toEqual(
      expect.arrayContaining([
        "MemoryPressure=False",
        "DiskPressure=False",
        "PIDPressure=False",
        "Ready=True",
      ]),
    );
    for (const reason of ["Starting", "NodeHasSufficientMemory", "NodeReady"])
      await hasEvent(reason);
  });

  test("has a lease that belongs to it, renewed every ten seconds", async () => {
    const { metadata, spec } = await system.lease();
    const { uid } = (await node()).metadata ?? {};
    expect(metadata?.ownerReferences).toEqual([
      { apiVersion: "v1", kind: "Node", name: "virtual", uid },
    ]);
    expect(spec).toMatchObject({ holderIdentity: "virtual", leaseDurationSeconds: 40 });
    await waitUntil(
      "it is renewed",
      async () => (await system.lease()).spec?.renewTime !== spec?.renewTime,
    );
  });

  test("keeps what others put on it, and puts its own back", async () => {
    await kubectl("label", "node", "virtual", "theirs=1", "team-");
    await kubectl("annotate", "node", "virtual", "theirs=1");
    await kubectl("taint", "node", "virtual", "theirs=1:PreferNoSchedule", "example.com/special-");
    const foreign = { type: "KernelDeadlock", status: "False", reason: "KernelHasNoDeadlock" };
    const status = { conditions: [foreign], capacity: { "their.com/dongle": "3" } };
    await patchStatus({ status });
    await waitUntil("its label and taint are back", async () => {
      const { metadata, spec } = await node();
      const isTainted = spec?.taints?.some(({ key }) => key === "example.com/special");
      return metadata?.labels?.["team"] === "blue" && isTainted;
    });
    const after = await node();
    expect(after.metadata?.labels).toMatchObject({ theirs: "1" });
    expect(after.metadata?.annotations).toMatchObject({ theirs: "1" });
    expect(after.spec?.taints?.map(({ key }) => key)).toContain("theirs");
    expect(after.status?.conditions).toContainEqual(expect.objectContaining(foreign));
    expect(after.status?.capacity).toMatchObject({ "their.com/dongle": "3" });
    await kubectl("taint", "node", "virtual", "theirs-");
  });

  /** As a device plugin or node-problem-detector would; kubectl 1.20 cannot patch subresources. */
  async function patchStatus(patch: object): Promise<void> {
    const live = await node();
    const conditions = [
      ...(live.status?.conditions ?? []),
      ...((patch as Node).status?.conditions ?? []),
    ];
    const capacity = { ...live.status?.capacity, ...(patch as Node).status?.capacity };
    const input = JSON.stringify({ ...live, status: { ...live.status, conditions, capacity } });
    await system.kubectl.run(["replace", "--raw", "/api/v1/nodes/virtual/status", "-f", "-"], {
      input,
    });
  }

  test("gives its resources to pods, and no more than there are", async () => {
    const limits = (count: string) => ({
      container: { resources: { limits: { "example.com/licence": count } } },
      command: "exec sleep 1000",
    });
    await applied("fits", limits("2"));
    await system.podInPhase("fits", "Running");
    await applied("waits", limits("1"));
    await waitUntil("the scheduler says what is missing", async () =>
      /Insufficient example.com\/licence/.test(await kubectl("get", "events")),
    );
    expect((await system.pod("waits"))?.spec?.nodeName).toBeUndefined();
    await kubectl("delete", "pod", "fits", "waits");
  });

  test("is cordoned, and gets no pod until that is over", async () => {
    const intolerant = {
      spec: { tolerations: [{ key: "virtual-node.interlink/no-schedule", operator: "Exists" }] },
    };
    await kubectl("cordon", "virtual");
    await hasEvent("NodeNotSchedulable");
    expect(await kubectl("get", "nodes")).toMatch(/virtual\s+Ready,SchedulingDisabled/);
    await applied("later", intolerant);
    await waitUntil("the scheduler says that it cannot be placed", async () =>
      /FailedScheduling\s+pod\/later/.test(await kubectl("get", "events")),
    );
    await kubectl("uncordon", "virtual");
    await hasEvent("NodeSchedulable");
    await system.podInPhase("later", "Succeeded");
    await kubectl("delete", "pod", "later");
  });

  test("is drained: its pods are evicted by the graceful way, and it stays", async () => {
    for (const name of ["drained-1", "drained-2"]) {
      await applied(name, { command: "trap 'exit 0' TERM; while true; do sleep 0.1; done" });
      await system.podInPhase(name, "Running");
    }
    await kubectl("drain", "virtual", "--force", "--ignore-daemonsets", "--timeout=60s");
    expect(await kubectl("get", "pods", "-o", "name")).not.toMatch(/drained/);
    const { status, spec } = await node();
    expect(spec?.unschedulable).toBe(true);
    expect(status?.conditions?.find(({ type }) => type === "Ready")?.status).toBe("True");
    await kubectl("uncordon", "virtual");
  });

  test("tells at once that its site is away, falls NotReady when asked to, and comes back", async () => {
    await applied("running", { command: "exec sleep 1000" });
    await system.podInPhase("running", "Running");
    await system.kill9("server");
    await is("InterlinkConnectivity", "False");
    await is("Ready", "False");
    expect((await condition("Ready"))?.message).toMatch(/the site has not answered for 3 s/);
    await hasEvent("NodeNotReady");
    await system.launch("server");
    await is("Ready", "True");
    await is("InterlinkConnectivity", "True");
    expect((await system.pod("running"))?.status?.phase).toBe("Running");
    await kubectl("delete", "pod", "running");
  });

  test("is made anew when somebody deletes it, with a lease of its own, and its pods run on", async () => {
    await applied("survivor", { command: "exec sleep 1000" });
    const before = (await system.podInPhase("survivor", "Running")).metadata?.uid;
    const { uid } = (await node()).metadata ?? {};
    await kubectl("delete", "node", "virtual", "--wait=false");
    const renewed = await waitUntil("there is another one", async () => {
      const now = await node();
      return now.metadata?.uid === uid ? undefined : now;
    });
    await system.nodeReady();
    await waitUntil("the lease belongs to it", async () => {
      const [owner] = (await system.lease()).metadata?.ownerReferences ?? [];
      return owner !== undefined && owner.uid === renewed.metadata?.uid;
    });
    const pod = await system.pod("survivor");
    expect(pod?.metadata?.uid).toBe(before);
    expect(pod?.status?.phase).toBe("Running");
    await kubectl("delete", "pod", "survivor");
  });
});

describeClusters("a virtual node whose site tells what it has", (target) => {
  let folder: string;
  let plugin: TellingPlugin;
  let system: System;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "interlink-telling-"));
    const socket = join(folder, "plugin.sock");
    plugin = await TellingPlugin.listen(socket);
    plugin.answer = {
      resources: { cpu: "7", accelerators: [{ resourceType: "example.com/gpu", available: "4" }] },
      taints: [{ key: "example.com/maintenance", effect: "PreferNoSchedule" }],
    };
    system = await System.start({ plugin: { name: "given", address: `unix://${socket}` }, target });
  });
  afterAll(async () => {
    await system?.[Symbol.asyncDispose]();
    await plugin?.[Symbol.asyncDispose]();
    await rm(folder, { recursive: true, force: true });
  });

  test("offers that, and takes off what is told no longer", async () => {
    const node = () => system.node();
    await waitUntil("it is offered", async () => {
      const { status, spec } = await node();
      return (
        status?.allocatable?.["cpu"] === "7" &&
        status.capacity?.["example.com/gpu"] === "4" &&
        spec?.taints?.some(({ key }) => key === "example.com/maintenance")
      );
    });
    plugin.answer = { resources: { cpu: "3", accelerators: [] }, taints: [] };
    // The node asks every half minute.
    await waitUntil(
      "it is offered no longer",
      async () => {
        const { status, spec } = await node();
        return (
          status?.allocatable?.["cpu"] === "3" &&
          !("example.com/gpu" in (status.capacity ?? {})) &&
          !("example.com/gpu" in (status.allocatable ?? {})) &&
          !spec?.taints?.some(({ key }) => key === "example.com/maintenance")
        );
      },
      60_000,
    );
  });
});
