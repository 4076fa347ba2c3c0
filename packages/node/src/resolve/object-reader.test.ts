import { createKubeClient, type KubeClient, loadKubeCredentials, paths } from "@interlink/kube";
import { FakeApiServer } from "@interlink/kube/testing";
import type { Service } from "kubernetes-types/core/v1.js";
import { afterEach, beforeEach, expect, test } from "vitest";
import { aPod } from "../testing/pods.ts";
import { createObjectReader } from "./object-reader.ts";
import { serviceEnv } from "./service-env.ts";

let api: FakeApiServer;
let client: KubeClient;
beforeEach(async () => {
  api = await FakeApiServer.start();
  client = createKubeClient(await loadKubeCredentials({ kubeconfigYaml: api.kubeconfigYaml }));
});
afterEach(async () => {
  await client.close();
  await api[Symbol.asyncDispose]();
});

function service(namespace: string, name: string, clusterIP: string): void {
  const object: Service = {
    metadata: { name, namespace },
    spec: { clusterIP, ports: [{ port: 443, name: "https" }] },
  };
  api.put(paths.services.named(namespace, name), object);
}

test.each(["default", "other"])(
  "the address that pods of namespace %s shall use takes the place of the cluster's own, in every variable",
  async (namespace) => {
    service("default", "kubernetes", "10.0.0.1");
    service(namespace, "web", "10.0.0.2");
    const reader = createObjectReader({
      client,
      now: () => performance.now(),
      kubernetesService: { host: "api.example.org", port: 6443 },
    });
    const pod = aPod({}, { metadata: { name: "p", namespace, uid: "u" } });
    const { services } = await reader.read(pod, 0, AbortSignal.timeout(30_000));
    const env = new Map(serviceEnv(pod, services).map(({ name, value }) => [name, value]));
    expect(env.get("KUBERNETES_SERVICE_HOST")).toBe("api.example.org");
    expect(env.get("KUBERNETES_SERVICE_PORT")).toBe("6443");
    expect(env.get("KUBERNETES_PORT")).toBe("tcp://api.example.org:6443");
    expect(env.get("WEB_SERVICE_HOST")).toBe("10.0.0.2");
    expect([...env.values()].join()).not.toContain("10.0.0.1");
  },
);

test("a token is asked for with the exact body of a kubelet, once for all volumes that want the same", async () => {
  const bodies: unknown[] = [];
  api.answer("/api/v1/namespaces/default/serviceaccounts/robot/token", (body) => {
    bodies.push(body);
    return { ...(body as object), status: { token: "t" } };
  });
  const reader = createObjectReader({ client, now: () => performance.now() });
  const projected = {
    sources: [
      { serviceAccountToken: { path: "a", expirationSeconds: 3607 } },
      { serviceAccountToken: { path: "b", expirationSeconds: 3607 } },
      { serviceAccountToken: { path: "c", audience: "vault" } },
    ],
  };
  const pod = aPod({ serviceAccountName: "robot", volumes: [{ name: "v", projected }] });
  const { tokens } = await reader.read(pod, 0, AbortSignal.timeout(30_000));
  await reader.read(pod, 0, AbortSignal.timeout(30_000));
  expect([...tokens.values()]).toEqual([{ token: "t" }, { token: "t" }, { token: "t" }]);
  const request = (spec: object) => ({
    apiVersion: "authentication.k8s.io/v1",
    kind: "TokenRequest",
    spec: { ...spec, boundObjectRef: { apiVersion: "v1", kind: "Pod", name: "p", uid: "uid-1" } },
  });
  expect(bodies).toHaveLength(2);
  expect(bodies).toContainEqual(request({ expirationSeconds: 3607 }));
  expect(bodies).toContainEqual(request({ audiences: ["vault"], expirationSeconds: 3600 }));
  expect(reader.tokensDueInMs("uid-1")).toBeGreaterThan(0);
  reader.forget("uid-1");
  expect(reader.tokensDueInMs("uid-1")).toBeUndefined();
  await reader.tokens(pod, AbortSignal.timeout(30_000));
  expect(bodies).toHaveLength(4);
});

test("a refusal to read services holds a pod back for a while, as after a start of the API server, and then costs it only their variables", async () => {
  let now = 0;
  const told: Error[] = [];
  const reader = createObjectReader({
    client,
    now: () => now,
    servicesForbidden: (error) => told.push(error),
  });
  service("default", "web", "10.0.0.2");
  const read = () => reader.read(aPod(), now, AbortSignal.timeout(30_000));
  const refusal = { kind: "status", code: 403, reason: "Forbidden" } as const;
  api.inject((one) => one.path.includes("/services"), refusal, 3);
  await expect(read()).rejects.toMatchObject({ code: "forbidden" });
  now += 15_000;
  expect((await read()).services).toEqual([]);
  now += 1;
  expect((await read()).services).toEqual([]);
  expect(told).toHaveLength(1);
  now += 1;
  expect((await read()).services).toHaveLength(1);
});
