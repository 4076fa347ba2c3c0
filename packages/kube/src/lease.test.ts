import { afterEach, beforeEach, expect, it } from "vitest";
import type { KubeClient } from "./client.ts";
import { createKubeClient } from "./http-client.ts";
import { microTime, nodeLease, renewNodeLease } from "./lease.ts";
import { loadKubeCredentials } from "./load-credentials.ts";
import { FakeApiServer } from "./testing/fake-api-server.ts";

const holder = { nodeName: "n", nodeUid: "u" };
const path = "/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases/n";
const now = new Date("2026-01-02T03:04:05.678Z");

let fake: FakeApiServer;
let client: KubeClient;

beforeEach(async () => {
  fake = await FakeApiServer.start();
  client = createKubeClient(await loadKubeCredentials({ kubeconfigYaml: fake.kubeconfigYaml }));
});

afterEach(async () => {
  await client.close();
  await fake[Symbol.asyncDispose]();
});

const renew = (known?: Parameters<typeof renewNodeLease>[2]) =>
  renewNodeLease(client, holder, known, {
    now: () => now,
    signal: new AbortController().signal,
    timeoutMs: 1000,
  });
const methods = (): string[] => fake.requests.map((one) => one.method);

it("writes a lease as a kubelet does, with six decimals and the Node as its only owner", () => {
  expect(nodeLease(holder, now)).toEqual({
    apiVersion: "coordination.k8s.io/v1",
    kind: "Lease",
    metadata: {
      name: "n",
      namespace: "kube-node-lease",
      ownerReferences: [{ apiVersion: "v1", kind: "Node", name: "n", uid: "u" }],
    },
    spec: {
      holderIdentity: "n",
      leaseDurationSeconds: 40,
      renewTime: "2026-01-02T03:04:05.678000Z",
    },
  });
  expect(microTime(new Date(0))).toBe("1970-01-01T00:00:00.000000Z");
});

it("makes a lease that is not there, then renews it with one request each", async () => {
  const made = await renew();
  const again = await renew(made);
  await renew(again);
  expect(methods()).toEqual(["GET", "POST", "PUT", "PUT"]);
});

it("reads the lease again when another wrote it meanwhile", async () => {
  const made = await renew();
  fake.put(path, { ...fake.object(path) });
  await renew(made);
  expect(methods()).toEqual(["GET", "POST", "PUT", "GET", "PUT"]);
});

it("makes the lease anew when somebody deleted it", async () => {
  const made = await renew();
  fake.remove(path);
  await renew(made);
  expect(fake.object(path)).toBeDefined();
  expect(methods()).toEqual(["GET", "POST", "PUT", "POST"]);
});

it("tries five times, then says why", async () => {
  fake.inject(
    () => true,
    { kind: "status", code: 403, reason: "Forbidden", message: "no lease" },
    9,
  );
  await expect(renew()).rejects.toThrow(/no lease/);
  expect(fake.requests).toHaveLength(5);
});
