import { paths } from "@interlink/kube";
import { eventually, FakeApiServer } from "@interlink/kube/testing";
import { startVirtualNode } from "@interlink/node";
import type { Node, Pod } from "kubernetes-types/core/v1.js";
import { pino } from "pino";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { CondorLike, KubernetesLike, SlurmLike } from "./peers/existing-plugins.ts";
import { ExistingServer } from "./peers/existing-server.ts";
import { OurPlugin } from "./peers/ours.ts";

// Our virtual node as a whole, between a Kubernetes API and an existing API server: what it writes to Kubernetes that others
// rely on (12.9.7), and that what existing peers say becomes the right status.

const UID = "4f6c1a1e-0d5a-4d0e-9c0b-2b7c1de0a001";
const podPath = paths.pods.named("default", "p");
const jobPod = (annotations?: Record<string, string>): Pod => {
  const pod: Pod = {
    apiVersion: "v1",
    kind: "Pod",
    metadata: {
      name: "p",
      namespace: "default",
      uid: UID,
      ...(annotations ? { annotations } : {}),
    },
    spec: {
      nodeName: "vn",
      restartPolicy: "Never",
      containers: [{ name: "main", image: "busybox" }],
    },
  };
  return pod;
};

let api: FakeApiServer;
beforeEach(async () => {
  api = await FakeApiServer.start();
  api.put(paths.namespaces.named("kube-system"), {
    metadata: { name: "kube-system", uid: "cluster-uid" },
  });
});
afterEach(() => api[Symbol.asyncDispose]());

const nodeObject = () => api.object(paths.nodes.named("vn")) as Node | undefined;
const podObject = () => api.object(podPath) as Pod | undefined;
const condition = (type: string) =>
  nodeObject()?.status?.conditions?.find((one) => one.type === type);

/** Our node, asking this API server; closed at the end. */
async function ourNode(address: string): Promise<AsyncDisposable> {
  const node = await startVirtualNode({
    nodeName: "vn",
    version: "0.1.0",
    kube: { kubeconfigYaml: api.kubeconfigYaml },
    site: { address },
    nodeAddress: "127.0.0.1",
    kubelet: { host: "127.0.0.1", port: 0 },
    intervals: { ping: { everyMs: 50, retryMs: 20 }, pollMs: 20, youngPollMs: 20 },
    logger: pino({ level: "silent" }),
  });
  return { [Symbol.asyncDispose]: () => node.close() };
}

describe.each([
  ["existing Slurm plugin", () => new SlurmLike(), "4711"],
  ["existing Kubernetes plugin", () => new KubernetesLike(), `remote-${UID}`],
  ["existing HTCondor plugin", () => new CondorLike(), "99"],
  ["our plugin", () => new OurPlugin(), "17"],
] as const)("behind an existing API server, %s", (_, make, jobId) => {
  test("a pod gets its JobID, runs, and fails with the exit code of its container", async () => {
    await using plugin = await make().listen();
    await using server = await new ExistingServer(plugin.address).listen();
    await using _node = await ourNode(server.address);
    const passTime = () => {
      if (plugin instanceof SlurmLike) plugin.now += 10_000;
    };
    await eventually(() => condition("Ready")?.status === "True");

    api.put(podPath, jobPod());
    await eventually(() => podObject()?.metadata?.annotations?.["JobID"] === jobId);
    passTime();
    plugin.job(UID).state = "running";
    await eventually(() => podObject()?.status?.phase === "Running");
    passTime();
    plugin.job(UID).state = { exitCode: 3 };
    await eventually(() => podObject()?.status?.phase === "Failed");
    const [main] = podObject()?.status?.containerStatuses ?? [];
    expect(main?.state?.terminated?.exitCode).toBe(3);
    expect(plugin.creates).toBe(1);
  });
});

test("12.9.7 the node object has the ping annotation, the condition, the taint and the labels that others look for", async () => {
  await using plugin = await new SlurmLike().listen();
  await using server = await new ExistingServer(plugin.address).listen();
  await using _node = await ourNode(server.address);
  await eventually(() => condition("InterlinkConnectivity")?.status === "True");
  await eventually(() => nodeObject()?.status?.capacity?.["cpu"] === "128");
  const { metadata, spec } = nodeObject() ?? {};
  expect(metadata?.annotations?.["interlink.virtual-kubelet.io/ping-response"]).toBe(
    '{"status":"ok","resources":{"cpu":"128"}}',
  );
  expect(spec?.taints).toContainEqual(
    expect.objectContaining({
      key: "virtual-node.interlink/no-schedule",
      value: "true",
      effect: "NoSchedule",
    }),
  );
  expect(metadata?.labels).toMatchObject({
    "kubernetes.io/hostname": "vn",
    "kubernetes.io/role": "agent",
    "virtual-node.interlink/type": "virtual-kubelet",
    "alpha.service-controller.kubernetes.io/exclude-balancer": "true",
    "node.kubernetes.io/exclude-from-external-load-balancers": "true",
  });
});

test("12.9.7 a pod that an existing node left behind, known by its JobID, is taken over and not created again", async () => {
  await using plugin = await new KubernetesLike().listen();
  await using server = await new ExistingServer(plugin.address).listen();
  const pod = jobPod({ JobID: `remote-${UID}` });
  plugin.jobs.set(UID, { pod, state: "running", log: "" });
  const left: Pod = { ...pod, status: { phase: "Running" } };
  api.put(podPath, left);
  await using _node = await ourNode(server.address);
  plugin.job(UID).state = { exitCode: 0 };
  await eventually(() => podObject()?.status?.phase === "Succeeded");
  expect(plugin.creates).toBe(0);
});
