import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { KubeClient, KubeObject } from "./client.ts";
import { createKubeClient } from "./http-client.ts";
import { Informer, type InformerHooks, type InformerOptions } from "./informer.ts";
import { loadKubeCredentials } from "./load-credentials.ts";
import { paths } from "./paths.ts";
import { eventually } from "./testing/eventually.ts";
import { FakeApiServer, type SeenRequest } from "./testing/fake-api-server.ts";

const quick = { backoff: { firstMs: 1, capMs: 5, jitter: 0 } };
const pods = paths.pods.collection();
const pod = (name: string): string => paths.pods.named("default", name);
const isWatch = (request: SeenRequest): boolean => request.query.has("watch");
const isList = (request: SeenRequest): boolean => request.method === "GET" && !isWatch(request);

let fake: FakeApiServer;
let client: KubeClient;
let stop: AbortController;
let runs: Promise<void>[];

beforeEach(async () => {
  fake = await FakeApiServer.start();
  client = createKubeClient(await loadKubeCredentials({ kubeconfigYaml: fake.kubeconfigYaml }));
  stop = new AbortController();
  runs = [];
});

afterEach(async () => {
  stop.abort();
  await Promise.all(runs);
  await client.close();
  await fake[Symbol.asyncDispose]();
});

function start(options: Partial<InformerOptions<KubeObject>> = {}): {
  informer: Informer<KubeObject>;
  told: string[];
  hooks: string[];
} {
  const told: string[] = [];
  const hooks: string[] = [];
  const recording: InformerHooks = {
    restarted: (reason) => hooks.push(reason),
    expired: () => hooks.push("expired"),
    problem: (error) => hooks.push(error.message),
  };
  const informer = new Informer({
    client,
    path: pods,
    hooks: recording,
    timing: quick,
    ...options,
  });
  informer.on({
    added: (object) => told.push(`+${object.metadata?.name}`),
    changed: (object) => told.push(`~${object.metadata?.name}`),
    removed: (object) => told.push(`-${object.metadata?.name}`),
  });
  runs.push(informer.run(stop.signal));
  return { informer, told, hooks };
}

const watching = (): Promise<boolean> => eventually(() => fake.watches > 0, "a watch");

describe("Informer", () => {
  it("tells what a list holds, then what a watch says, in order", async () => {
    fake.put(pod("a"), {});
    const { informer, told } = start();
    await informer.synced;
    await watching();
    fake.put(pod("b"), {});
    fake.put(pod("a"), {});
    fake.remove(pod("a"));
    await eventually(() => told.length === 4);
    expect(told).toEqual(["+a", "+b", "~a", "-a"]);
    expect(informer.byName("default", "b")?.metadata?.name).toBe("b");
    expect(informer.byName("default", "a")).toBeUndefined();
  });

  it("lists from the server's cache first, and from the newest state when absence will decide something", async () => {
    await start().informer.synced;
    await start({ consistentStart: true }).informer.synced;
    const versions = fake.requests.filter(isList).map((one) => one.query.get("resourceVersion"));
    expect(versions).toEqual(["0", null]);
  });

  it("reads a long list page by page", async () => {
    for (let i = 0; i < 1203; i += 1) fake.put(pod(`p${i}`), {});
    const { informer } = start({ consistentStart: true });
    await informer.synced;
    expect(informer.size).toBe(1203);
    expect(fake.requests.filter(isList)).toHaveLength(3);
  });

  it("starts a list over when a page's continue token has expired", async () => {
    for (let i = 0; i < 600; i += 1) fake.put(pod(`p${i}`), {});
    fake.inject((one) => one.query.has("continue"), {
      kind: "status",
      code: 410,
      reason: "Expired",
    });
    const { informer, told } = start();
    await informer.synced;
    expect(informer.size).toBe(600);
    expect(told).toHaveLength(600);
  });

  it("asks for bookmarks, a timeout and the version it stands at", async () => {
    fake.put(pod("a"), {});
    const { informer } = start({
      fieldSelector: "metadata.name=a",
      timing: { ...quick, random: () => 0.5 },
    });
    await informer.synced;
    await watching();
    const watch = fake.requests.find(isWatch);
    expect(Object.fromEntries(watch?.query ?? [])).toEqual({
      watch: "1",
      fieldSelector: "metadata.name=a",
      resourceVersion: fake.version,
      allowWatchBookmarks: "true",
      timeoutSeconds: "450",
    });
  });

  it("goes on from a bookmark's version when the server ends the watch", async () => {
    const { informer, told, hooks } = start();
    await informer.synced;
    await watching();
    fake.put("/api/v1/nodes/n", {});
    fake.bookmark();
    await eventually(() => {
      const state = informer.state();
      return state.phase === "watching" && state.resourceVersion === fake.version;
    });
    fake.endWatches();
    await eventually(() => fake.requests.filter(isWatch).length === 2);
    await watching();
    expect(fake.requests.filter(isWatch)[1]?.query.get("resourceVersion")).toBe(fake.version);
    fake.put(pod("later"), {});
    await eventually(() => told.includes("+later"));
    expect(fake.requests.filter(isList)).toHaveLength(1);
    expect(hooks).toEqual(["ended"]);
  });

  it("goes on from the last version when the connection is cut", async () => {
    const { informer, told } = start();
    await informer.synced;
    await watching();
    fake.put(pod("a"), {});
    await eventually(() => told.includes("+a"));
    fake.dropWatches();
    fake.put(pod("b"), {});
    await eventually(() => told.includes("+b"));
    expect(told).toEqual(["+a", "+b"]);
    expect(fake.requests.filter(isList)).toHaveLength(1);
  });

  it("lists again after a 410 inside a watch, and tells what vanished meanwhile as removed", async () => {
    fake.put(pod("stays"), {});
    fake.put(pod("goes"), {});
    const { informer, told, hooks } = start();
    await informer.synced;
    await watching();
    fake.inject(isWatch, { kind: "drop" });
    fake.inject(isWatch, { kind: "status", code: 410, reason: "Expired" });
    fake.dropWatches();
    fake.remove(pod("goes"));
    fake.expire();
    await eventually(() => told.includes("-goes"));
    await watching();
    expect(told).toEqual(["+stays", "+goes", "-goes"]);
    expect(hooks).toContain("expired");
    expect(informer.size).toBe(1);
  });

  it("lists the newest state when even its own version has been forgotten", async () => {
    const { informer, told } = start();
    await informer.synced;
    await watching();
    fake.expire();
    fake.put(pod("new"), {});
    await eventually(() => told.includes("+new"));
    const versions = fake.requests.filter(isList).map((one) => one.query.get("resourceVersion"));
    expect(versions.at(-1)).toBeNull();
  });

  it("tells a pod that came back under the same name as removed and added", async () => {
    fake.put(pod("a"), { metadata: { uid: "one" } });
    const { informer, told } = start();
    await informer.synced;
    await watching();
    fake.inject(isWatch, { kind: "status", code: 410, reason: "Expired" });
    fake.dropWatches();
    fake.remove(pod("a"));
    fake.put(pod("a"), { metadata: { uid: "two" } });
    await eventually(() => told.length === 3);
    expect(told).toEqual(["+a", "-a", "+a"]);
    expect(informer.get("one")).toBeUndefined();
    expect(informer.byName("default", "a")?.metadata?.uid).toBe("two");
  });

  it("cuts a watch that says nothing for longer than the server was asked to keep it", async () => {
    fake.inject(isWatch, { kind: "silent-watch" });
    const { informer, told, hooks } = start({
      timing: { ...quick, watchSeconds: [0, 0], graceMs: 20 },
    });
    await informer.synced;
    await eventually(() => hooks.includes("silent"));
    fake.put(pod("a"), {});
    await eventually(() => told.includes("+a"));
  });

  it.each([["from its start"], ["after it had sent bookmarks"]])(
    "cuts a watch that is silent %s",
    async (when) => {
      const { informer, hooks } = start({ timing: { ...quick, silenceMs: 20 } });
      await informer.synced;
      await watching();
      if (when === "after it had sent bookmarks") fake.bookmark();
      await eventually(() => hooks.includes("silent"));
    },
  );

  it.each([
    ["429", { kind: "status", code: 429, reason: "TooManyRequests", retryAfter: "0" }],
    ["500", { kind: "status", code: 500 }],
    ["403", { kind: "status", code: 403, reason: "Forbidden" }],
    ["a cut connection", { kind: "drop" }],
  ] as const)("survives %s on list and on watch", async (_name, fault) => {
    fake.inject(isList, fault, 8);
    fake.inject(isWatch, fault, 3);
    fake.put(pod("a"), {});
    const { informer, told } = start();
    await informer.synced;
    await watching();
    fake.put(pod("b"), {});
    await eventually(() => told.length === 2);
    expect(told).toEqual(["+a", "+b"]);
  });

  it("says that it waits, and for what, while the server refuses", async () => {
    fake.inject(isList, { kind: "status", code: 403, reason: "Forbidden", message: "no" });
    const { informer } = start({
      timing: { backoff: { firstMs: 60_000, capMs: 60_000, jitter: 0 } },
    });
    const state = await eventually(() => {
      const now = informer.state();
      return now.phase === "waiting" && now;
    });
    expect(state.error.code).toBe("forbidden");
    expect(informer.hasSynced).toBe(false);
  });

  it("does not ask in a loop when every watch is answered with 410", async () => {
    fake.inject(isWatch, { kind: "status", code: 410, reason: "Expired" }, 100);
    const { informer } = start({
      timing: { backoff: { firstMs: 60_000, capMs: 60_000, jitter: 0 } },
    });
    await eventually(() => informer.state().phase === "waiting");
    expect(fake.requests.filter(isWatch)).toHaveLength(2);
  });

  it("lists at once after a 410, however often the server could not be reached before", async () => {
    const phases: string[] = [];
    const { informer, told } = start({ hooks: { state: ({ phase }) => phases.push(phase) } });
    await informer.synced;
    await watching();
    fake.inject(isWatch, { kind: "drop" }, 3);
    fake.inject(isWatch, { kind: "status", code: 410, reason: "Expired" });
    fake.dropWatches();
    fake.put(pod("a"), {});
    await eventually(() => told.includes("+a"));
    expect(phases.filter((phase) => phase === "waiting").length).toBeGreaterThan(2);
    expect(phases[phases.lastIndexOf("listing") - 1]).toBe("watching");
  });

  it("forgets earlier failures when the server has told something again", async () => {
    const waits: number[] = [];
    const { informer, told } = start({
      hooks: {
        state: (state) => {
          if (state.phase === "waiting") waits.push(state.untilMs);
        },
      },
      timing: { backoff: { firstMs: 1, capMs: 100, jitter: 0 }, now: () => 0 },
    });
    await informer.synced;
    for (const name of ["a", "b", "c"]) {
      await watching();
      fake.put(pod(name), {});
      await eventually(() => told.includes(`+${name}`));
      const waitsBefore = waits.length;
      fake.inject(isWatch, { kind: "drop" });
      fake.dropWatches();
      await eventually(() => waits.length > waitsBefore);
      await watching();
    }
    expect(Math.max(...waits)).toBeLessThanOrEqual(2);
  });

  it("goes on when a handler throws, and says so", async () => {
    const { informer, told, hooks } = start();
    informer.on({
      added: () => {
        throw new Error("handler broke");
      },
    });
    await informer.synced;
    await watching();
    fake.put(pod("a"), {});
    fake.put(pod("b"), {});
    await eventually(() => told.length === 2);
    expect(hooks).toEqual(["handler broke", "handler broke"]);
  });

  it("drops managedFields", async () => {
    fake.put(pod("a"), { metadata: { managedFields: [{ manager: "kubectl" }] } });
    const { informer } = start();
    await informer.synced;
    expect(informer.list()[0]?.metadata).not.toHaveProperty("managedFields");
  });

  it("ends with its signal and leaves no watch behind", async () => {
    const { informer } = start();
    await informer.synced;
    await watching();
    stop.abort();
    await Promise.all(runs);
    await eventually(() => fake.watches === 0);
    expect(informer.state()).toEqual({ phase: "stopped" });
  });
});
