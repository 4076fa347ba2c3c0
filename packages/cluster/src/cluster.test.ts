import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { JsonObject } from "./api/object.ts";
import { type Cluster, startCluster } from "./cluster.ts";
import { ApiClient } from "./testing/api-client.ts";
import { fakeKubelet } from "./testing/fake-kubelet.ts";
import { must } from "./testing/must.ts";
import { nodeObject, podObject } from "./testing/objects.ts";

let cluster: Cluster;
let admin: ApiClient;

beforeAll(async () => {
  cluster = await startCluster({ watchBookmarkIntervalMs: 50, watchHistorySize: 20 });
  admin = new ApiClient(cluster.kubeconfigYaml);
});
afterAll(() => cluster.close());

const configMaps = "/api/v1/namespaces/default/configmaps";
const pods = "/api/v1/namespaces/default/pods";
const statusOf = (body: JsonObject): object => ({
  kind: body.kind,
  reason: body.reason,
  code: body.code,
});
let counter = 0;
const fresh = (prefix: string): string => {
  counter += 1;
  return `${prefix}-${counter}`;
};

async function configMap(name: string, labels: Record<string, string> = {}): Promise<JsonObject> {
  const { code, body } = await admin.post(configMaps, {
    metadata: { name, labels },
    data: { a: "1" },
  });
  expect(code).toBe(201);
  return body;
}

function versionOf(object: JsonObject): string {
  return (object.metadata as { resourceVersion: string }).resourceVersion;
}

/** The first `count` events of a watch. */
async function events(
  path: string,
  count: number,
  meanwhile: () => Promise<unknown> = async () => undefined,
  headers: Record<string, string> = {},
): Promise<{ type: string; object: JsonObject }[]> {
  const abort = new AbortController();
  const seen: { type: string; object: JsonObject }[] = [];
  const started = meanwhile();
  for await (const event of admin.watch(path, abort.signal, headers)) {
    seen.push(event);
    if (seen.length >= count) abort.abort();
  }
  await started;
  return seen;
}

describe("what a cluster begins with", () => {
  it("publishes the authority of client certificates, to those who hold the role for it", async () => {
    const system = "/api/v1/namespaces/kube-system";
    const rbac = "/apis/rbac.authorization.k8s.io/v1/namespaces/kube-system";
    const path = `${system}/configmaps/extension-apiserver-authentication`;
    const { body } = await admin.get(path);
    expect(body.data).toEqual({ "client-ca-file": cluster.clientCaPem });

    await admin.post(`${system}/serviceaccounts`, { metadata: { name: "reader" } });
    const reader = new ApiClient(
      await cluster.credentialsFor({ namespace: "kube-system", serviceAccount: "reader" }),
    );
    expect((await reader.get(path)).code).toBe(403);
    await admin.post(`${rbac}/rolebindings`, {
      metadata: { name: "reader" },
      roleRef: {
        apiGroup: "rbac.authorization.k8s.io",
        kind: "Role",
        name: "extension-apiserver-authentication-reader",
      },
      subjects: [{ kind: "ServiceAccount", name: "reader", namespace: "kube-system" }],
    });
    expect((await reader.get(path)).code).toBe(200);
  });
});

describe("a list", () => {
  it("is cut into pages that all show the same moment", async () => {
    const label = fresh("page");
    for (const name of ["a", "b", "c"]) await configMap(`${label}-${name}`, { page: label });
    const first = await admin.get(`${configMaps}?labelSelector=page%3D${label}&limit=2`);
    const metadata = first.body.metadata as JsonObject;
    expect(metadata.remainingItemCount).toBe(1);
    await admin.call("DELETE", `${configMaps}/${label}-c`);
    const token = encodeURIComponent(metadata.continue as string);
    const second = await admin.get(`${configMaps}?limit=2&continue=${token}`);
    const items = second.body.items as JsonObject[];
    expect(items.map((item) => (item.metadata as JsonObject).name)).toEqual([`${label}-c`]);
    expect((second.body.metadata as JsonObject).resourceVersion).toBe(metadata.resourceVersion);
    const other = await admin.get(`${configMaps}?limit=2&continue=nonsense`);
    expect(statusOf(other.body)).toEqual({ kind: "Status", reason: "Expired", code: 410 });
  });

  it("refuses a field that the kind is not selected by, and a version from the future", async () => {
    expect((await admin.get(`${configMaps}?fieldSelector=data.a%3D1`)).code).toBe(400);
    const future = await admin.get(`${configMaps}?resourceVersion=999999999`);
    expect(statusOf(future.body)).toEqual({ kind: "Status", reason: "Timeout", code: 504 });
    expect(future.headers["retry-after"]).toBe("1");
  });

  it("is a table or metadata alone for those who ask", async () => {
    const name = fresh("form");
    await configMap(name);
    const query = `${configMaps}?fieldSelector=metadata.name%3D${name}`;
    const table = await admin.get(query, {
      accept: "application/json;as=Table;v=v1;g=meta.k8s.io,application/json",
    });
    expect(table.body).toMatchObject({
      kind: "Table",
      rows: [{ cells: [name, 1, expect.any(String)] }],
    });
    const partial = await admin.get(query, {
      accept: "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io",
    });
    expect(partial.body).toMatchObject({
      kind: "PartialObjectMetadataList",
      items: [{ metadata: { name } }],
    });
    expect((partial.body.items as JsonObject[])[0]?.data).toBeUndefined();
    expect((await admin.get(configMaps, { accept: "text/html" })).code).toBe(406);
  });
});

describe("a watch", () => {
  it("goes on from a version with every change since", async () => {
    const name = fresh("watch");
    const created = await configMap(name);
    await admin.patch(`${configMaps}/${name}`, "application/merge-patch+json", {
      data: { a: "2" },
    });
    const path = `${configMaps}?watch=1&fieldSelector=metadata.name%3D${name}&resourceVersion=${versionOf(created)}`;
    const seen = await events(path, 2, () => admin.call("DELETE", `${configMaps}/${name}`));
    expect(seen.map((event) => event.type)).toEqual(["MODIFIED", "DELETED"]);
    expect(Number(versionOf(must(seen[1]).object))).toBeGreaterThan(
      Number(versionOf(must(seen[0]).object)),
    );
  });

  it("shows what comes to match as ADDED and what no longer does as DELETED, as it was", async () => {
    const name = fresh("select");
    const created = await configMap(name, { wanted: "no" });
    const path = `${configMaps}?watch=1&labelSelector=wanted%3D${name}&resourceVersion=${versionOf(created)}`;
    const label = (value: string): Promise<unknown> =>
      admin.patch(`${configMaps}/${name}`, "application/merge-patch+json", {
        metadata: { labels: { wanted: value } },
      });
    const seen = await events(path, 2, async () => {
      await label(name);
      await label("no");
    });
    expect(
      seen.map((event) => [event.type, (event.object.metadata as { labels: object }).labels]),
    ).toEqual([
      ["ADDED", { wanted: name }],
      ["DELETED", { wanted: name }],
    ]);
  });

  it("begins with what is there and a bookmark that says so, when initial events are asked for", async () => {
    const name = fresh("initial");
    await configMap(name, { initial: name });
    const path = `${configMaps}?watch=1&labelSelector=initial%3D${name}&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true`;
    const seen = await events(path, 2);
    expect(seen.map((event) => event.type)).toEqual(["ADDED", "BOOKMARK"]);
    expect(seen[1]?.object.metadata).toMatchObject({
      annotations: { "k8s.io/initial-events-end": "true" },
    });
  });

  it("sends bookmarks with nothing but the version", async () => {
    const created = await configMap(fresh("bookmark"));
    const path = `${pods}?watch=1&allowWatchBookmarks=true&resourceVersion=${versionOf(created)}`;
    const [bookmark] = await events(path, 1);
    expect(bookmark?.type).toBe("BOOKMARK");
    expect(bookmark?.object).toMatchObject({ kind: "Pod", apiVersion: "v1" });
    expect(Number(versionOf(must(bookmark).object))).toBeGreaterThanOrEqual(
      Number(versionOf(created)),
    );
  });

  it("says 410 in its stream when the version is forgotten", async () => {
    for (let count = 0; count < 45; count += 1) {
      await admin.call("PUT", `${configMaps}/churn`, {
        body: { metadata: { name: "churn" }, data: { n: `${count}` } },
      });
      if (count === 0) await configMap("churn");
    }
    const [event] = await events(`${configMaps}?watch=1&resourceVersion=2`, 1);
    expect(event?.type).toBe("ERROR");
    expect(statusOf(must(event).object)).toEqual({ kind: "Status", reason: "Expired", code: 410 });
  });

  it("ends after timeoutSeconds", async () => {
    const seen = await events(`${pods}?watch=1&timeoutSeconds=1&resourceVersion=0`, 1000);
    expect(seen.length).toBeLessThan(1000);
  });

  it("gives tables to those who ask, the columns once", async () => {
    const name = fresh("table");
    const created = await configMap(name);
    const path = `${configMaps}?watch=1&fieldSelector=metadata.name%3D${name}&resourceVersion=${versionOf(created)}`;
    const touch = async (): Promise<void> => {
      for (const b of ["1", "2"]) {
        await admin.patch(`${configMaps}/${name}`, "application/merge-patch+json", { data: { b } });
      }
    };
    const accept = "application/json;as=Table;v=v1;g=meta.k8s.io";
    const seen = await events(path, 2, touch, { accept });
    expect(seen.map((event) => event.object.kind)).toEqual(["Table", "Table"]);
    expect(seen[0]?.object.columnDefinitions).toHaveLength(3);
    expect(seen[1]?.object.columnDefinitions).toBeNull();
  });
});

describe("who may do what", () => {
  const user = async (name: string, groups: string[] = []): Promise<ApiClient> =>
    new ApiClient(await cluster.credentialsFor({ user: name, groups }));

  it("is refused to strangers, but health and version are for everybody", async () => {
    const stranger = new ApiClient(cluster.kubeconfigYaml, { credentials: false });
    expect((await stranger.get("/healthz")).text).toBe("ok");
    expect((await stranger.get("/version")).code).toBe(200);
    const { code, body } = await stranger.get(pods);
    expect(code).toBe(403);
    expect(body.message).toBe(
      'pods is forbidden: User "system:anonymous" cannot list resource "pods" in API group "" in the namespace "default"',
    );
    const liar = await stranger.get(pods, { authorization: "Bearer made-up" });
    expect(statusOf(liar.body)).toEqual({ kind: "Status", reason: "Unauthorized", code: 401 });
  });

  it("follows roles and bindings", async () => {
    const jane = await user("jane");
    expect((await jane.get(configMaps)).code).toBe(403);
    await admin.post("/apis/rbac.authorization.k8s.io/v1/namespaces/default/rolebindings", {
      metadata: { name: "jane" },
      roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: "view" },
      subjects: [{ apiGroup: "rbac.authorization.k8s.io", kind: "User", name: "jane" }],
    });
    expect((await jane.get(configMaps)).code).toBe(200);
    expect((await jane.get("/api/v1/namespaces/kube-system/configmaps")).code).toBe(403);
    expect((await jane.call("DELETE", `${configMaps}/x`)).code).toBe(403);
  });

  it("lets a node do a node's work and no more", async () => {
    const node = await user("system:node:a", ["system:nodes"]);
    expect((await node.get("/api/v1/pods")).code).toBe(200);
    expect((await node.get("/api/v1/nodes")).code).toBe(200);
    expect((await node.call("DELETE", "/api/v1/nodes/a")).code).toBe(403);
    expect((await node.post("/apis/batch/v1/namespaces/default/jobs", {})).code).toBe(403);
  });

  it("knows service accounts by their tokens, which end with the pod that they are bound to", async () => {
    const name = fresh("bound");
    const pod = (await admin.post(pods, podObject(name))).body;
    const request = (spec: object) =>
      admin.post("/api/v1/namespaces/default/serviceaccounts/default/token", { spec });
    const uid = (pod.metadata as { uid: string }).uid;
    const boundObjectRef = { kind: "Pod", apiVersion: "v1", name, uid };
    const { code, body } = await request({
      audiences: ["vault"],
      boundObjectRef,
      expirationSeconds: 600,
    });
    expect(code).toBe(201);
    const { token } = body.status as { token: string };
    const review = async (audiences: string[]): Promise<JsonObject> =>
      (
        await admin.post("/apis/authentication.k8s.io/v1/tokenreviews", {
          spec: { token, audiences },
        })
      ).body.status as JsonObject;
    expect(await review(["vault"])).toMatchObject({
      authenticated: true,
      audiences: ["vault"],
      user: { username: "system:serviceaccount:default:default" },
    });
    expect(await review([])).toMatchObject({ authenticated: false });
    await admin.call("DELETE", `${pods}/${name}`);
    expect(await review(["vault"])).toMatchObject({ authenticated: false });
    expect((await request({ expirationSeconds: 1 })).code).toBe(422);
    expect((await request({ boundObjectRef: { ...boundObjectRef, name: "gone" } })).code).toBe(404);
  });

  it("acts as somebody else for those who may", async () => {
    const headers = { "impersonate-user": "joe" };
    expect((await admin.get(configMaps, headers)).body.message).toContain('User "joe" cannot list');
    const mary = await user("mary");
    expect((await mary.get(configMaps, headers)).body.message).toContain(
      'User "mary" cannot impersonate',
    );
  });

  it("answers kubeconfigs for service accounts", async () => {
    const config = await cluster.credentialsFor({
      serviceAccount: "default",
      namespace: "kube-system",
    });
    const { body } = await new ApiClient(config).get(pods);
    expect(body.message).toContain('User "system:serviceaccount:kube-system:default" cannot list');
  });
});

describe("logs", () => {
  async function podOn(port: number): Promise<string> {
    const node = fresh("node");
    const name = fresh("logs");
    await admin.post("/api/v1/nodes", nodeObject(node, { port }));
    await admin.post(pods, podObject(name, { nodeName: node }));
    return `${pods}/${name}/log`;
  }

  it("come from the node's kubelet as they are written, until the reader leaves", async () => {
    let gone: () => void;
    const left = new Promise<void>((resolve) => {
      gone = resolve;
    });
    await using kubelet = await fakeKubelet(cluster.clientCaPem, (_request, response) => {
      response.on("close", () => gone());
      response.write("first\n");
    });
    const path = await podOn(kubelet.port);
    const abort = new AbortController();
    const response = await admin.open(
      "GET",
      `${path}?follow=true&tailLines=5&container=main`,
      {},
      abort.signal,
    );
    response.on("error", () => undefined);
    const [chunk] = (await new Promise((resolve) => {
      response.once("data", (data: Buffer) => resolve([data.toString("utf8")]));
    })) as [string];
    expect(chunk).toBe("first\n");
    expect(kubelet.asked).toEqual([
      expect.stringMatching(/^\/containerLogs\/default\/logs-\d+\/main\?follow=true&tailLines=5$/),
    ]);
    abort.abort();
    await left;
  });

  it.each([
    [400, 'container "main" in pod "x" is waiting to start: ContainerCreating', "BadRequest"],
    [404, "the server could not find the requested resource ( pods/log", "NotFound"],
  ])("pass on a kubelet's %i", async (code, message, reason) => {
    await using kubelet = await fakeKubelet(cluster.clientCaPem, (_request, response) => {
      response.writeHead(code).end(message);
    });
    const { body } = await admin.get(await podOn(kubelet.port));
    expect(body.code).toBe(code);
    expect(body.reason).toBe(reason);
    expect(body.message).toContain(message);
  });

  it("say what is wrong when nobody listens, the container is unknown or a number is bad", async () => {
    const path = await podOn(1);
    expect((await admin.get(path)).body.message).toContain(
      "dial tcp 127.0.0.1:1: connect: connection refused",
    );
    expect((await admin.get(`${path}?container=x`)).body.message).toMatch(
      /^container x is not valid for pod/,
    );
    expect((await admin.get(`${path}?tailLines=-1`)).code).toBe(422);
  });
});

describe("pods", () => {
  it("are bound once", async () => {
    const name = fresh("bind");
    await admin.post(pods, podObject(name, { schedulerName: "mine" }));
    const bind = () =>
      admin.post(`${pods}/${name}/binding`, { target: { kind: "Node", name: "somewhere" } });
    expect((await bind()).code).toBe(201);
    expect((await admin.get(`${pods}/${name}`)).body.spec).toMatchObject({ nodeName: "somewhere" });
    expect((await bind()).code).toBe(409);
  });

  it("are evicted by a graceful deletion", async () => {
    const name = fresh("evict");
    await admin.post(pods, podObject(name, { nodeName: "somewhere" }));
    expect((await admin.post(`${pods}/${name}/eviction`, { metadata: { name } })).code).toBe(201);
    const { body } = await admin.get(`${pods}/${name}`);
    expect(body.metadata).toMatchObject({ deletionGracePeriodSeconds: 30 });
    expect(body.status).toMatchObject({ conditions: [{ type: "DisruptionTarget" }] });
  });

  it("take a status patch with the uid as a precondition", async () => {
    const name = fresh("status");
    const { body } = await admin.post(pods, podObject(name));
    const uid = (body.metadata as { uid: string }).uid;
    const patch = (given: string) =>
      admin.patch(`${pods}/${name}/status`, "application/strategic-merge-patch+json", {
        metadata: { uid: given },
        status: { phase: "Running", conditions: [{ type: "Ready", status: "True" }] },
      });
    expect((await patch("other")).code).toBe(409);
    expect((await patch(uid)).body.status).toMatchObject({
      phase: "Running",
      qosClass: "BestEffort",
    });
  });
});

describe("namespaces", () => {
  it("go when everything in them has gone", async () => {
    const name = fresh("space");
    await admin.post("/api/v1/namespaces", { metadata: { name } });
    const inside = `/api/v1/namespaces/${name}`;
    await admin.until(`${inside}/serviceaccounts/default`, (answer) => answer.code === 200);
    const pod = podObject("held", { nodeName: "somewhere" });
    await admin.post(`${inside}/pods`, pod);
    await admin.call("DELETE", inside);
    const { body } = await admin.until(
      `${inside}/pods/held`,
      (answer) => (answer.body.metadata as JsonObject).deletionTimestamp !== undefined,
    );
    expect(body.metadata).toMatchObject({ deletionGracePeriodSeconds: 30 });
    expect((await admin.get(inside)).body.status).toMatchObject({ phase: "Terminating" });
    const refused = await admin.post(`${inside}/configmaps`, { metadata: { name: "late" } });
    expect(refused.body.message).toContain("because it is being terminated");
    await admin.call("DELETE", `${inside}/pods/held`, { body: { gracePeriodSeconds: 0 } });
    await admin.until(inside, (answer) => answer.code === 404);
  });

  it("that the cluster needs are not deleted", async () => {
    expect((await admin.call("DELETE", "/api/v1/namespaces/default")).code).toBe(403);
  });
});

describe("nodes", () => {
  it("turn Unknown and are tainted when they fall silent, and recover", async () => {
    await using quick = await startCluster({ nodeGracePeriodMs: 100 });
    const client = new ApiClient(quick.kubeconfigYaml);
    await client.post("/api/v1/nodes", nodeObject("silent"));
    const taints = (answer: { body: JsonObject }): string =>
      JSON.stringify((answer.body.spec as JsonObject | undefined)?.taints ?? []);
    const { body } = await client.until("/api/v1/nodes/silent", (answer) =>
      taints(answer).includes("unreachable"),
    );
    const conditions = (body.status as { conditions: { type: string; reason: string }[] })
      .conditions;
    expect(conditions.find((item) => item.type === "Ready")).toMatchObject({
      status: "Unknown",
      reason: "NodeStatusUnknown",
      message: "Kubelet stopped posting node status.",
    });
    const ready = { type: "Ready", status: "True", lastHeartbeatTime: "2026-06-01T00:00:00Z" };
    await client.patch("/api/v1/nodes/silent/status", "application/strategic-merge-patch+json", {
      status: { conditions: [ready] },
    });
    await client.until("/api/v1/nodes/silent", (answer) => !taints(answer).includes("unreachable"));
  });
});

describe("the cluster", () => {
  it("comes back after a pause with everything that it had", async () => {
    await using own = await startCluster();
    const client = new ApiClient(own.kubeconfigYaml);
    await client.post(configMaps, { metadata: { name: "kept" } });
    await own.pause();
    await expect(client.get(`${configMaps}/kept`)).rejects.toThrow();
    await own.resume();
    expect((await client.get(`${configMaps}/kept`)).code).toBe(200);
  });
});
