import { afterEach, beforeEach, expect, it } from "vitest";
import type { KubeClient, KubeObject } from "./client.ts";
import { createKubeClient } from "./http-client.ts";
import { loadKubeCredentials } from "./load-credentials.ts";
import { ObjectCache } from "./object-cache.ts";
import { paths } from "./paths.ts";
import { eventually } from "./testing/eventually.ts";
import { FakeApiServer } from "./testing/fake-api-server.ts";

let fake: FakeApiServer;
let client: KubeClient;
let cache: ObjectCache<KubeObject>;
const path = paths.secrets.named("ns", "s");

beforeEach(async () => {
  fake = await FakeApiServer.start();
  client = createKubeClient(await loadKubeCredentials({ kubeconfigYaml: fake.kubeconfigYaml }));
  cache = new ObjectCache({
    client,
    collection: paths.secrets.collection,
    lingerMs: 0,
    timing: { backoff: { firstMs: 1, capMs: 1, jitter: 0 } },
  });
});

afterEach(async () => {
  await cache[Symbol.asyncDispose]();
  await client.close();
  await fake[Symbol.asyncDispose]();
});

it("tells when a missing object appears, changes and goes", async () => {
  const seen: (string | undefined)[] = [];
  const held = cache.hold("ns", "s", (object) => seen.push(object?.metadata?.resourceVersion));
  await held.synced;
  expect(held.get()).toBeUndefined();
  await eventually(() => fake.watches === 1);
  const one = fake.put(path, {}).metadata.resourceVersion;
  await eventually(() => held.get() !== undefined);
  const two = fake.put(path, {}).metadata.resourceVersion;
  fake.remove(path);
  await eventually(() => seen.length === 3);
  expect(seen).toEqual([one, two, undefined]);
  held.release();
});

it("asks only for the named object, once for all who hold it", async () => {
  fake.put(path, {});
  fake.put(paths.secrets.named("ns", "other"), {});
  const first = cache.hold("ns", "s");
  const second = cache.hold("ns", "s");
  await Promise.all([first.synced, second.synced]);
  await eventually(() => fake.watches === 1);
  expect(new Set(fake.requests.map((one) => one.query.get("fieldSelector")))).toEqual(
    new Set(["metadata.name=s"]),
  );
  expect(second.get()?.metadata?.name).toBe("s");
  first.release();
  first.release();
  expect(cache.size).toBe(1);
  second.release();
  await eventually(() => cache.size === 0 && fake.watches === 0);
});

it("keeps asking while the server forbids it, as it does just after a pod was bound", async () => {
  fake.put(path, {});
  fake.inject(() => true, { kind: "status", code: 403, reason: "Forbidden" }, 3);
  const held = cache.hold("ns", "s");
  await held.synced;
  expect(held.get()).toBeDefined();
  expect(fake.requests.length).toBeGreaterThan(3);
});
