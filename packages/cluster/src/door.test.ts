import fc from "fast-check";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type Cluster, startCluster } from "./cluster.ts";
import { ApiClient } from "./testing/api-client.ts";
import { podObject } from "./testing/objects.ts";

let cluster: Cluster;
let admin: ApiClient;

beforeAll(async () => {
  cluster = await startCluster();
  admin = new ApiClient(cluster.kubeconfigYaml);
});
afterAll(() => cluster.close());

const configMaps = "/api/v1/namespaces/default/configmaps";
const pods = "/api/v1/namespaces/default/pods";

const container = { name: "c", image: "x" };
const template = { spec: { restartPolicy: "Never", containers: [container] } };
/** Kinds whose rules look into what a patch may have taken away. */
const kindsToEmpty: [string, string, { metadata: { name: string }; [key: string]: unknown }][] = [
  ["Pod", pods, { metadata: { name: "emptied" }, spec: { containers: [container] } }],
  ["Node", "/api/v1/nodes", { metadata: { name: "emptied" } }],
  ["Namespace", "/api/v1/namespaces", { metadata: { name: "emptied" } }],
  ["ConfigMap", configMaps, { metadata: { name: "emptied" }, data: { a: "b" } }],
  [
    "Service",
    "/api/v1/namespaces/default/services",
    { metadata: { name: "emptied" }, spec: { ports: [{ port: 80 }] } },
  ],
  [
    "Job",
    "/apis/batch/v1/namespaces/default/jobs",
    { metadata: { name: "emptied" }, spec: { template } },
  ],
  [
    "Lease",
    "/apis/coordination.k8s.io/v1/namespaces/default/leases",
    { metadata: { name: "emptied" }, spec: { leaseDurationSeconds: 40 } },
  ],
  [
    "PersistentVolumeClaim",
    "/api/v1/namespaces/default/persistentvolumeclaims",
    {
      metadata: { name: "emptied" },
      spec: { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "1Gi" } } },
    },
  ],
];

describe("the door", () => {
  beforeEach(async () => {
    expect((await admin.get("/healthz")).code).toBe(200);
  });

  it("refuses what is too large, is not JSON, or has another content type", async () => {
    const large = await admin.call("POST", configMaps, {
      raw: `{"data":"${"x".repeat(4 * 1024 * 1024)}"}`,
    });
    expect(large.body).toMatchObject({
      kind: "Status",
      reason: "RequestEntityTooLarge",
      code: 413,
    });
    expect((await admin.call("POST", configMaps, { raw: "{" })).code).toBe(400);
    expect((await admin.call("POST", configMaps, { raw: "[]" })).code).toBe(400);
    const xml = { raw: "<a/>", headers: { "content-type": "text/xml" } };
    expect((await admin.call("POST", configMaps, xml)).code).toBe(415);
    expect((await admin.get("/api/v1/nothing")).code).toBe(404);
    expect(
      (await admin.call("BREW", configMaps).catch(() => ({ code: 400 }))).code,
    ).toBeGreaterThanOrEqual(400);
  });

  const path = fc
    .array(
      fc.oneof(
        fc.constantFrom(
          "api",
          "apis",
          "v1",
          "namespaces",
          "default",
          "pods",
          "x",
          "status",
          "log",
          "batch",
          "jobs",
          "..",
          "%",
          "%2F",
          "openapi",
          "v3",
        ),
        fc.webSegment(),
      ),
      { maxLength: 8 },
    )
    .map((parts) => `/${parts.join("/")}`);
  const query = fc
    .array(
      fc.tuple(
        fc.constantFrom(
          "watch",
          "limit",
          "continue",
          "labelSelector",
          "fieldSelector",
          "resourceVersion",
          "timeoutSeconds",
          "dryRun",
        ),
        fc.webSegment(),
      ),
      { maxLength: 3 },
    )
    .map((pairs) => pairs.map(([key, value]) => `${key}=${value}`).join("&"));

  it("answers any path with a status below 500 and stays alive", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom("GET", "PUT", "PATCH", "DELETE"),
        path,
        query,
        async (method, route, search) => {
          const abort = new AbortController();
          const target = `${route}?${search}&timeoutSeconds=1`;
          // Not the real objects of the cluster: deleting those would change what other tests see.
          if (method === "DELETE" && !route.includes("x")) return;
          const response = await admin.open(method, target, {}, abort.signal);
          response.on("error", () => undefined);
          expect(response.statusCode).not.toBe(500);
          abort.abort();
        },
      ),
      { numRuns: 150 },
    );
  });

  it("answers any body with an object or a 4xx Status, and stores nothing that it refused", async () => {
    const target = fc.constantFrom(
      pods,
      configMaps,
      "/api/v1/nodes",
      "/api/v1/namespaces/default/secrets",
      "/api/v1/namespaces/default/services",
      "/apis/batch/v1/namespaces/default/jobs",
      "/apis/coordination.k8s.io/v1/namespaces/default/leases",
      "/apis/authentication.k8s.io/v1/tokenreviews",
      "/apis/authorization.k8s.io/v1/subjectaccessreviews",
      "/api/v1/namespaces/default/serviceaccounts/default/token",
      `${pods}/x/binding`,
      `${pods}/x/eviction`,
    );
    const keys = fc.constantFrom(
      "metadata",
      "spec",
      "status",
      "data",
      "kind",
      "apiVersion",
      "containers",
      "name",
      "labels",
      "finalizers",
      "ownerReferences",
      "template",
      "target",
      "taints",
      "ports",
      "__proto__",
    );
    const body = fc.dictionary(
      keys,
      fc.oneof(fc.jsonValue({ maxDepth: 2 }), fc.dictionary(keys, fc.jsonValue({ maxDepth: 2 }))),
    );
    await fc.assert(
      fc.asyncProperty(target, body, async (where, value) => {
        const { code, body: answer } = await admin.post(`${where}?dryRun=All`, value);
        expect(code === 201 || (code >= 400 && code < 500)).toBe(true);
        if (code >= 400) expect(answer.kind).toBe("Status");
      }),
      { numRuns: 300 },
    );
  });

  it("answers any patch of a pod with a pod or a 4xx Status", async () => {
    const name = "patched";
    await admin.post(pods, podObject(name));
    const types = fc.constantFrom(
      "application/merge-patch+json",
      "application/strategic-merge-patch+json",
      "application/json-patch+json",
      "application/apply-patch+yaml",
    );
    const value = fc.jsonValue({ maxDepth: 3 });
    const keys = fc.constantFrom(
      "metadata",
      "spec",
      "status",
      "containers",
      "$patch",
      "$setElementOrder/containers",
      "$retainKeys",
      "finalizers",
      "labels",
      "name",
    );
    const patch = fc.oneof(value, fc.dictionary(keys, fc.oneof(value, fc.dictionary(keys, value))));
    await fc.assert(
      fc.asyncProperty(types, patch, fc.constantFrom("", "/status"), async (type, change, part) => {
        const { code } = await admin.patch(
          `${pods}/${name}${part}?dryRun=All&fieldManager=test`,
          type,
          change,
        );
        expect(code === 200 || (code >= 400 && code < 500)).toBe(true);
      }),
      { numRuns: 300 },
    );
  });

  it.each(kindsToEmpty)(
    "answers a patch that takes everything away from a %s",
    async (_kind, path, object) => {
      const { code, body } = await admin.post(path, object);
      expect({ code, body }).toMatchObject({ code: 201 });
      for (const change of [{ spec: null }, { status: null }, { metadata: null }, { data: null }]) {
        for (const type of [
          "application/merge-patch+json",
          "application/strategic-merge-patch+json",
        ]) {
          const url = `${path}/${object.metadata.name}?dryRun=All`;
          const answer = await admin.patch(url, type, change);
          expect({ change, code: answer.code, isFault: answer.code >= 500 }).toMatchObject({
            isFault: false,
          });
        }
      }
    },
  );
});
