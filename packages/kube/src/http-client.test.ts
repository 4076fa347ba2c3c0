import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { KubeClient } from "./client.ts";
import type { KubeCredentials } from "./credentials.ts";
import { KubeError, parseRetryAfter } from "./errors.ts";
import { createKubeClient } from "./http-client.ts";
import { loadKubeCredentials } from "./load-credentials.ts";
import { paths, subresource } from "./paths.ts";
import { eventually } from "./testing/eventually.ts";
import { FakeApiServer } from "./testing/fake-api-server.ts";

let fake: FakeApiServer;
let client: KubeClient;
const path = paths.configMaps.named("default", "a");

beforeEach(async () => {
  fake = await FakeApiServer.start();
  client = createKubeClient(await loadKubeCredentials({ kubeconfigYaml: fake.kubeconfigYaml }));
});

afterEach(async () => {
  await client.close();
  await fake[Symbol.asyncDispose]();
});

async function failure(promise: Promise<unknown>): Promise<KubeError> {
  try {
    await promise;
  } catch (error) {
    expect(error).toBeInstanceOf(KubeError);
    return error as KubeError;
  }
  throw new Error("it did not fail");
}

describe("KubeClient", () => {
  it("creates, reads, replaces, patches and deletes with the right methods, types and token", async () => {
    await client.create(paths.configMaps.collection("default"), { metadata: { name: "a" } });
    await client.get(path);
    await client.replace(path, { metadata: { name: "a" } });
    await client.patch(path, "strategic-merge", { data: { x: "1" } });
    await client.patch(path, "merge", {});
    await client.delete(path, { gracePeriodSeconds: 0 });
    expect(fake.requests.map((one) => [one.method, one.contentType])).toEqual([
      ["POST", "application/json"],
      ["GET", undefined],
      ["PUT", "application/json"],
      ["PATCH", "application/strategic-merge-patch+json"],
      ["PATCH", "application/merge-patch+json"],
      ["DELETE", "application/json"],
    ]);
    expect(new Set(fake.requests.map((one) => one.authorization))).toEqual(
      new Set(["Bearer fake-token"]),
    );
  });

  it("keeps its connections over deletes with options", async () => {
    for (let round = 0; round < 5; round++) {
      await client.create(paths.configMaps.collection("default"), { metadata: { name: "a" } });
      await client.delete(path, { gracePeriodSeconds: 0 });
    }
    // Two, not one: the next request may come before the last one's connection is free again.
    expect(new Set(fake.requests.map((one) => one.clientPort)).size).toBeLessThanOrEqual(2);
  });

  it.each([
    [404, "NotFound", "not-found"],
    [409, "Conflict", "conflict"],
    [409, "AlreadyExists", "already-exists"],
    [410, "Expired", "gone"],
    [422, "Invalid", "invalid"],
    [403, "Forbidden", "forbidden"],
    [401, "Unauthorized", "unauthorized"],
    [500, "InternalError", "server-error"],
    [504, "Timeout", "timeout"],
    [418, "Teapot", "other"],
  ])("turns %i %s into the code %s with the server's words", async (code, reason, expected) => {
    fake.inject(() => true, { kind: "status", code, reason, message: "the words" });
    const error = await failure(client.get(path));
    expect(error).toMatchObject({ code: expected, httpCode: code, reason });
    expect(error.message).toContain("the words");
  });

  it("tries again when told to by Retry-After, and gives up after its retries", async () => {
    fake.put(path, {});
    fake.inject(() => true, { kind: "status", code: 429, retryAfter: "0" }, 3);
    await client.get(path);
    expect(fake.requests).toHaveLength(4);
    fake.inject(() => true, { kind: "status", code: 503, retryAfter: "0" }, 100);
    expect((await failure(client.get(path))).httpCode).toBe(503);
    expect(fake.requests).toHaveLength(10);
  });

  it("passes 429 on at once when the wait would outlast the deadline", async () => {
    fake.inject(() => true, { kind: "status", code: 429, retryAfter: "3600" });
    const error = await failure(client.get(path));
    expect(error).toMatchObject({ code: "too-many-requests", retryAfterMs: 3_600_000 });
  });

  it("gives up at its deadline", async () => {
    fake.inject(() => true, { kind: "hang" });
    const error = await failure(client.get(path, { timeoutMs: 20 }));
    expect(error.code).toBe("timeout");
  });

  it("stops when the caller stops", async () => {
    fake.inject(() => true, { kind: "hang" });
    const stop = new AbortController();
    const call = failure(client.get(path, { signal: stop.signal }));
    await eventually(() => fake.requests.length === 1);
    stop.abort();
    expect((await call).code).toBe("aborted");
  });

  it("repeats a GET, never a write, whose connection was cut", async () => {
    fake.put(path, {});
    fake.inject(() => true, { kind: "drop" });
    await client.get(path);
    expect(fake.requests).toHaveLength(2);
    fake.inject(() => true, { kind: "drop" });
    expect((await failure(client.patch(path, "merge", {}))).code).toBe("unreachable");
    expect(fake.requests).toHaveLength(3);
  });

  it("says unreachable when nobody listens", async () => {
    const alone = createKubeClient(
      await loadKubeCredentials({ kubeconfigYaml: fake.kubeconfigYaml.replace(/:\d+"/, ':1"') }),
    );
    expect((await failure(alone.get(path))).code).toBe("unreachable");
    await alone.close();
  });

  it("reads a list with null items as empty", async () => {
    fake.inject(() => true, { kind: "status", code: 200 });
    expect((await client.list(paths.pods.collection())).items).toEqual([]);
  });

  it("closes the connection when the reader of a watch leaves", async () => {
    fake.put(path, {});
    const query = { resourceVersion: "1" };
    for await (const event of client.watch(paths.configMaps.collection(), { query })) {
      expect(event.type).toBe("ADDED");
      break;
    }
    await eventually(() => fake.watches === 0);
  });

  it("ends a watch that was silent while another call got no answer: its connection may be dead", async () => {
    const events = client.watch(paths.configMaps.collection(), { query: { resourceVersion: "1" } });
    const ended = failure(events[Symbol.asyncIterator]().next());
    await eventually(() => fake.watches === 1);
    fake.inject((request) => request.path === path, { kind: "hang" });
    await failure(client.get(path, { timeoutMs: 20 }));
    expect((await ended).code).toBe("timeout");
    await eventually(() => fake.watches === 0);
  });

  it("fails a watch that the server refuses", async () => {
    fake.inject(() => true, { kind: "status", code: 403, reason: "Forbidden" });
    const events = client.watch(path, {})[Symbol.asyncIterator]();
    expect((await failure(events.next())).code).toBe("forbidden");
  });

  it("lets leases through while every general connection is busy", async () => {
    const one = createKubeClient(
      await loadKubeCredentials({ kubeconfigYaml: fake.kubeconfigYaml }),
      { connections: 1 },
    );
    fake.put(paths.leases.named("kube-node-lease", "n"), {});
    fake.inject((request) => request.path === path, { kind: "hang" });
    const stuck = failure(one.get(path));
    await one.get(paths.leases.named("kube-node-lease", "n"));
    await one.close();
    expect((await stuck).code).not.toBe("not-found");
  });
});

describe("paths", () => {
  it("escapes names, so that a name cannot reach another resource", () => {
    expect(paths.pods.named("a/b", "../c")).toBe("/api/v1/namespaces/a%2Fb/pods/..%2Fc");
    expect(subresource(paths.nodes.named("n"), "status")).toBe("/api/v1/nodes/n/status");
  });
});

describe("parseRetryAfter", () => {
  it.each([
    ["2", 2000],
    ["Thu, 01 Jan 1970 00:00:09 GMT", 8000],
    ["Thu, 01 Jan 1970 00:00:00 GMT", 0],
    ["soon", undefined],
    [undefined, undefined],
  ])("reads %s as %s ms", (header, expected) => {
    expect(parseRetryAfter(header, 1000)).toBe(expected);
  });
});

describe("KubeClient whose credentials change", () => {
  /** Of a world in which files can be replaced. */
  function changing() {
    const files = { token: "old", cert: "old" };
    let known = { ...files };
    const credentials: KubeCredentials = {
      server: client.server,
      tls: async () => ({ cert: known.cert }),
      authorization: async () => `Bearer ${known.token}`,
      forget: () => {
        known = { ...files };
      },
    };
    return { files, credentials };
  }
  const ports = () => fake.requests.map((one) => one.clientPort);
  const refused = { kind: "status", code: 401, reason: "Unauthorized" } as const;

  it("asks again with what the files hold by now when the server does not know it any more", async () => {
    const { files, credentials } = changing();
    await using own = closing(createKubeClient(credentials));
    fake.put(path, {});
    await own.client.get(path);
    files.token = "new";
    fake.inject((one) => one.authorization === "Bearer old", refused, 9);
    await own.client.get(path);
    expect(fake.requests.at(-1)?.authorization).toBe("Bearer new");
  });

  it("asks on new connections when its certificate is another by now: the old ones show the old one", async () => {
    const { files, credentials } = changing();
    await using own = closing(createKubeClient(credentials));
    fake.put(path, {});
    await own.client.get(path);
    await own.client.get(path);
    const before = ports();
    files.cert = "new";
    fake.inject((one) => one.path === path, refused);
    await own.client.get(path);
    expect(before).not.toContain(ports().at(-1));
  });

  it("opens new connections within a minute, unasked", async () => {
    let now = 0;
    const { files, credentials } = changing();
    await using own = closing(createKubeClient(credentials, { now: () => now }));
    fake.put(path, {});
    await own.client.get(path);
    files.cert = "new";
    credentials.forget?.();
    const before = ports();
    now += 60_000;
    await own.client.get(path);
    expect(before).not.toContain(ports().at(-1));
  });

  it("tells a refusal when nothing has changed", async () => {
    const { credentials } = changing();
    await using own = closing(createKubeClient(credentials));
    fake.inject((one) => one.path === path, refused, 9);
    expect((await failure(own.client.get(path))).code).toBe("unauthorized");
    expect(fake.requests).toHaveLength(1);
  });
});

function closing(own: KubeClient): AsyncDisposable & { client: KubeClient } {
  return { client: own, [Symbol.asyncDispose]: () => own.close() };
}
