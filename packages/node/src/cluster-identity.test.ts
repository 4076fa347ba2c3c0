import { createKubeClient, type KubeClient, loadKubeCredentials, paths } from "@interlink/kube";
import { FakeApiServer } from "@interlink/kube/testing";
import { afterEach, beforeEach, expect, test } from "vitest";
import { nodeIdentity, untilAnswered } from "./cluster-identity.ts";

let api: FakeApiServer;
let client: KubeClient;
const { signal } = new AbortController();
const refusal = { kind: "status", code: 403, reason: "Forbidden" } as const;

beforeEach(async () => {
  api = await FakeApiServer.start();
  client = createKubeClient(await loadKubeCredentials({ kubeconfigYaml: api.kubeconfigYaml }));
  api.put(paths.namespaces.named("kube-system"), { metadata: { name: "kube-system", uid: "ns" } });
  api.put(paths.services.named("default", "kubernetes"), {
    metadata: { name: "kubernetes", namespace: "default", uid: "svc" },
  });
});
afterEach(async () => {
  await client.close();
  await api[Symbol.asyncDispose]();
});

test("a cluster is named by kube-system, and by its API's service for a node that may read no namespace", async () => {
  const uidOf = (path: string) => (api.object(path) as { metadata: { uid: string } }).metadata.uid;
  const namespace = uidOf(paths.namespaces.named("kube-system"));
  const service = uidOf(paths.services.named("default", "kubernetes"));
  expect(await nodeIdentity(client, "n", false, signal)).toBe(`${namespace}/n`);
  expect(await nodeIdentity(client, "n", true, signal)).toBe(`${service}/n`);
  expect(namespace).not.toBe(service);
});

test("a refusal is asked again for a while, as an API server that has just started refuses what it allows later", async () => {
  api.inject(() => true, refusal, 2);
  const told: Error[] = [];
  const ask = () => nodeIdentity(client, "n", false, signal);
  expect(await untilAnswered(ask, (error) => told.push(error), signal)).toMatch(/\/n$/);
  expect(told).toHaveLength(1);
});

test("a refusal that stays is told in the end", async () => {
  api.inject(() => true, refusal, 99);
  const ask = () => nodeIdentity(client, "n", false, signal);
  const answer = untilAnswered(ask, () => undefined, signal, 1);
  await expect(answer).rejects.toMatchObject({ code: "forbidden" });
});
