import { type KubeObject, paths } from "@interlink/kube";
import { eventually, FakeApiServer } from "@interlink/kube/testing";
import type { Event, Node, Pod } from "kubernetes-types/core/v1.js";
import { pino } from "pino";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { FakeSite } from "./testing/fake-site.ts";
import { aPod, container, running } from "./testing/pods.ts";
import { startVirtualNode, type VirtualNode } from "./virtual-node.ts";
import type { VirtualNodeOptions } from "./virtual-node-options.ts";

let api: FakeApiServer;
let site: FakeSite;
let node: VirtualNode | undefined;
beforeEach(async () => {
  api = await FakeApiServer.start();
  site = new FakeSite();
  const kubeSystem: KubeObject = { metadata: { name: "kube-system", uid: "cluster-uid" } };
  api.put(paths.namespaces.named("kube-system"), kubeSystem);
});
afterEach(async () => {
  await node?.close();
  node = undefined;
  await api[Symbol.asyncDispose]();
});

const options = (over: Partial<VirtualNodeOptions> = {}): VirtualNodeOptions => ({
  nodeName: "vn",
  version: "0.1.0",
  kube: { kubeconfigYaml: api.kubeconfigYaml },
  site,
  nodeAddress: "127.0.0.1",
  kubelet: { host: "127.0.0.1", port: 0 },
  capacity: { cpu: "8" },
  intervals: { ping: { everyMs: 20, retryMs: 5 }, pods: { orphanAfterMs: 5 } },
  logger: pino({ level: "silent" }),
  ...over,
});
const nodeObject = () => api.object(paths.nodes.named("vn")) as Node | undefined;
const condition = (type: string) =>
  nodeObject()?.status?.conditions?.find((one) => one.type === type)?.status;
const podPath = paths.pods.named("default", "p");

describe("startVirtualNode", () => {
  test("registers a node that becomes Ready and runs pods", async () => {
    node = await startVirtualNode(options());
    await eventually(() => condition("Ready") === "True");
    expect(nodeObject()?.status).toMatchObject({
      capacity: { cpu: "8" },
      daemonEndpoints: { kubeletEndpoint: { Port: node.kubeletPort } },
    });
    api.put(podPath, aPod());
    await eventually(() => site.jobs.has("uid-1"));
    site.run("uid-1");
    await eventually(() => (api.object(podPath) as Pod).status?.phase === "Running");
  });

  test("starts although the API server fails each first request that it needs to start", async () => {
    const failed = new Set<string>();
    const firstOfItsKind = ({ method, path }: { method: string; path: string }): boolean => {
      const kind = `${method} ${path}`;
      if (failed.has(kind)) return false;
      failed.add(kind);
      return true;
    };
    api.inject(firstOfItsKind, { kind: "status", code: 500, message: "etcd is busy" }, 1000);
    node = await startVirtualNode(options());
    await eventually(() => condition("Ready") === "True");
  });

  test("is not Ready before all pods are listed and taken over", async () => {
    api.inject(
      ({ path, query }) => path === paths.pods.collection() && !query.has("watch"),
      { kind: "drop" },
      1,
    );
    const pod = aPod({}, { status: { phase: "Running", containerStatuses: [] } });
    api.put(podPath, pod);
    site.put(pod, running());
    const started = startVirtualNode(options());
    await eventually(() => condition("Ready") === "False");
    expect(site.started.size).toBe(0);
    node = await started;
    await eventually(() => condition("Ready") === "True");
    expect(site.started.size).toBe(0);
  });

  test("deletes a job of its own that lost its pod, and knows itself by cluster and name", async () => {
    const orphan = aPod(
      {},
      {
        metadata: {
          name: "p",
          namespace: "default",
          uid: "lost",
          annotations: { "interlink.virtual-kubelet.io/created-by": "cluster-uid/vn" },
        },
      },
    );
    site.put(orphan, running());
    node = await startVirtualNode(options());
    await eventually(() => !site.jobs.has("lost"));
  });

  test("a site that is away fails nothing; the node says so and catches up", async () => {
    node = await startVirtualNode(options());
    api.put(podPath, aPod());
    await eventually(() => site.jobs.has("uid-1"));
    site.run("uid-1");
    await eventually(() => (api.object(podPath) as Pod).status?.phase === "Running");
    site.leave();
    await eventually(() => condition("InterlinkConnectivity") === "False");
    await eventually(() =>
      api.requests.some(({ path, body }) => {
        const event = body as Event | undefined;
        return (
          path.endsWith("/events") &&
          event?.involvedObject?.kind === "Node" &&
          event.reason === "InterlinkPingFailed"
        );
      }),
    );
    expect(condition("Ready")).toBe("True");
    expect((api.object(podPath) as Pod).status?.phase).toBe("Running");
    site.comeBack();
    await eventually(() => condition("InterlinkConnectivity") === "True");
  });

  test("the node's condition follows the site's coming and going, not only the next ping", async () => {
    const seldom = 3_600_000;
    const ping = { everyMs: seldom, firstRetryMs: seldom, retryMs: seldom };
    node = await startVirtualNode(options({ intervals: { ping } }));
    await eventually(() => condition("InterlinkConnectivity") === "True");
    site.leave();
    await eventually(() => condition("InterlinkConnectivity") === "False");
    site.comeBack();
    await eventually(() => condition("InterlinkConnectivity") === "True");
  });

  test("a limit that a container does not set is what the site offers by now", async () => {
    const answer = { resources: { cpu: "3" } };
    site.ping = () => Promise.resolve({ raw: "{}", answer });
    node = await startVirtualNode(options());
    await eventually(() => nodeObject()?.status?.allocatable?.["cpu"] === "3");
    const cpu = { name: "CPU", valueFrom: { resourceFieldRef: { resource: "limits.cpu" } } };
    // Until the node itself has heard what the cluster knows already.
    await eventually(() => {
      const uid = `uid-${site.jobs.size}`;
      const metadata = { name: uid, namespace: "default", uid };
      api.put(
        paths.pods.named("default", uid),
        aPod({ containers: [container("c", { env: [cpu] })] }, { metadata }),
      );
      return [...site.jobs.values()].some(({ request }) =>
        request?.pod.spec?.containers[0]?.env?.some((one) => one.value === "3"),
      );
    });
  });

  test("closing leaves node, pods and jobs as they are", async () => {
    const started = await startVirtualNode(options());
    api.put(podPath, aPod());
    await eventually(() => site.jobs.has("uid-1"));
    await started.close();
    await started.close();
    expect(nodeObject()).toBeDefined();
    expect(api.object(podPath)).toBeDefined();
    expect(site.deletes).toEqual([]);
    expect(api.watches).toBe(0);
  });

  test("gives up starting when told to, and leaves nothing running", async () => {
    const stop = new AbortController();
    api.inject(() => true, { kind: "drop" }, 1000);
    const started = startVirtualNode(options({ signal: stop.signal }));
    await eventually(() => api.requests.length > 0);
    stop.abort(new Error("enough"));
    await expect(started).rejects.toThrow();
  });
});
