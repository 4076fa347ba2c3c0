import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { KubeClient } from "./client.ts";
import { createKubeClient } from "./http-client.ts";
import { listAll } from "./list-all.ts";
import { loadKubeCredentials } from "./load-credentials.ts";
import { paths } from "./paths.ts";
import { FakeApiServer } from "./testing/fake-api-server.ts";

const pods = paths.pods.collection();

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

describe("listAll", () => {
  it("gets the state of now when it asks for one not older than a version, not that version itself", async () => {
    fake.put(paths.pods.named("default", "a"), {});
    const seen = fake.version;
    fake.put(paths.pods.named("default", "b"), {});
    const list = await listAll(client, pods, {}, seen);
    expect(list.items.map(({ metadata }) => metadata?.name)).toEqual(["a", "b"]);
    expect(list.resourceVersion).toBe(fake.version);
  });

  it("reads the newest state in pages", async () => {
    for (let at = 0; at < 501; at += 1) fake.put(paths.pods.named("default", `p-${at}`), {});
    const list = await listAll(client, pods, {}, "");
    expect(list.items).toHaveLength(501);
    expect(fake.requests).toHaveLength(2);
  });
});
