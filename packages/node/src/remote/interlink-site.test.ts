import { ProtocolError, type RemotePodStatus, type StatusStreamRecord } from "@interlink/protocol";
import type { Pod } from "kubernetes-types/core/v1.js";
import { describe, expect, test } from "vitest";
import { aPod, remote, running, status } from "../testing/pods.ts";
import { type ClientScript, scriptedClient, streaming } from "../testing/scripted-client.ts";
import { createInterlinkSite } from "./interlink-site.ts";
import type { RemoteListener, SyncedAnswer } from "./remote-site.ts";

const pod = (uid: string): Pod => aPod({}, { metadata: { uid, name: uid, namespace: "default" } });
const told = (uid: string, base = true): RemotePodStatus =>
  remote(pod(uid), [status("main", running())], base ? { extension: undefined } : {});
const uidOf = (one: Pod | undefined) => one?.metadata?.uid ?? "";
const refused = (httpStatus: number) => new ProtocolError("refused", "no", { httpStatus });

/** Follows until `enough` says so about what was heard; resolves with all of it. */
async function follow(
  script: ClientScript,
  pods: Pod[],
  enough: (heard: string[]) => boolean,
): Promise<{ heard: string[]; answers: SyncedAnswer[] }> {
  const stop = new AbortController();
  const heard: string[] = [];
  const answers: SyncedAnswer[] = [];
  const hear = (text: string) => {
    heard.push(text);
    if (enough(heard)) stop.abort();
  };
  const listener: RemoteListener = {
    status: ({ UID }) => hear(`status ${UID}`),
    synced(answer) {
      answers.push(answer);
      hear(`synced ${[...answer.known].sort().join(",")}`);
    },
    gone: (uid) => hear(`gone ${uid}`),
    event: ({ reason }) => hear(`event ${reason}`),
    connection: (state) => hear(state),
  };
  const site = createInterlinkSite({
    client: scriptedClient(script),
    pollMs: 1,
    youngPollMs: 1,
    backoff: { firstMs: 1, capMs: 1, jitter: 0 },
  });
  await site.follow(() => pods, listener, stop.signal);
  return { heard, answers };
}

const synced = (heard: string[]) => heard.some((one) => one.startsWith("synced"));

test("connects again as soon as a ping shows that the site is back", async () => {
  let away = true;
  const fail = () => Promise.reject(new ProtocolError("unreachable", "no connection"));
  const client = scriptedClient({
    capabilities: () => (away ? fail() : Promise.resolve(streaming)),
    ping: () => (away ? fail() : Promise.resolve({ raw: "", answer: undefined })),
    async *stream(): AsyncIterable<StatusStreamRecord> {
      yield { type: "synced", at: "2026-01-01T00:00:00Z" };
    },
  });
  const never = { firstMs: 3_600_000, capMs: 3_600_000, jitter: 0 };
  const site = createInterlinkSite({ client, backoff: never });
  const stop = new AbortController();
  const heard: string[] = [];
  const listener: RemoteListener = {
    status: () => undefined,
    synced: () => stop.abort(),
    gone: () => undefined,
    event: () => undefined,
    connection: (state) => void heard.push(state),
  };
  const followed = site.follow(() => [], listener, stop.signal);
  await expect(site.ping(stop.signal)).rejects.toThrow("no connection");
  away = false;
  await site.ping(stop.signal);
  await followed;
  expect(heard).toEqual(["disconnected", "connected"]);
});

test("a site that answers pings and forbids the question what it can do speaks the base protocol", async () => {
  const client = scriptedClient({ capabilities: () => Promise.reject(refused(403)) });
  const site = createInterlinkSite({ client });
  const { signal } = new AbortController();
  await expect(site.introduced(signal)).rejects.toThrow("no");
  await site.ping(signal);
  await site.introduced(signal);
  expect(site.capabilities).toBeUndefined();
});

describe("following a site of the base protocol", () => {
  test("asks for all pods in one question", async () => {
    const questions: number[] = [];
    const { heard } = await follow(
      {
        status: (pods) => {
          questions.push(pods.length);
          return Promise.resolve([told("a"), told("b")]);
        },
      },
      [pod("a"), pod("b")],
      synced,
    );
    expect(heard).toEqual(["connected", "status a", "status b", "synced a,b"]);
    expect(questions).toEqual([2]);
  });

  test.each<[string, ClientScript["status"]]>([
    ["answers for the first pod only", (pods) => Promise.resolve([told(uidOf(pods[0]))])],
    [
      "refuses a batch",
      (pods) =>
        pods.length > 1 ? Promise.reject(refused(500)) : Promise.resolve([told(uidOf(pods[0]))]),
    ],
  ])("asks pod by pod when the plugin %s", async (_, answer) => {
    const { answers } = await follow({ status: answer! }, [pod("a"), pod("b"), pod("c")], synced);
    expect([...(answers[0]?.known ?? [])].sort()).toEqual(["a", "b", "c"]);
  });

  test("a pod whose own question is refused counts as not asked, never as unknown", async () => {
    const { answers } = await follow(
      {
        status: (pods) =>
          pods.length > 1 || pods[0]?.metadata?.uid === "b"
            ? Promise.reject(refused(404))
            : Promise.resolve([told("a")]),
      },
      [pod("a"), pod("b")],
      synced,
    );
    expect(answers[0]).toMatchObject({ asked: new Set(["a"]), known: new Set(["a"]) });
  });

  test("containers in no state at all mean unknown, and answers for other pods are left out", async () => {
    const nothing = remote(pod("a"), [status("main", {})], { extension: undefined });
    const { answers, heard } = await follow(
      { status: () => Promise.resolve([nothing, told("other")]) },
      [pod("a")],
      synced,
    );
    expect(answers[0]).toMatchObject({ asked: new Set(["a"]), known: new Set() });
    expect(heard).not.toContain("status other");
  });

  test("says when the site is away and goes on when it is back", async () => {
    let tries = 0;
    const { heard } = await follow(
      {
        status: () => {
          tries++;
          return tries < 3
            ? Promise.reject(new ProtocolError("unreachable", "no connection"))
            : Promise.resolve([told("a")]);
        },
      },
      [pod("a")],
      synced,
    );
    expect(heard).toEqual(["disconnected", "disconnected", "connected", "status a", "synced a"]);
  });
});

describe("following a site with a status stream", () => {
  const at = "2026-01-01T00:00:00Z";
  const snapshot: StatusStreamRecord[] = [
    { type: "status", status: told("a", false) },
    { type: "synced", at },
  ];

  test("tells the snapshot, then each change as it comes", async () => {
    const { heard, answers } = await follow(
      {
        capabilities: () => Promise.resolve(streaming),
        async *stream() {
          yield* snapshot;
          yield { type: "heartbeat", at };
          yield { type: "status", status: told("b", false) };
          yield { type: "gone", UID: "a", name: "a", namespace: "default" };
          yield {
            type: "event",
            event: {
              UID: "b",
              name: "b",
              namespace: "default",
              type: "Normal",
              reason: "Started",
              message: "",
              at,
            },
          };
        },
      },
      [],
      (heard) => heard.includes("event Started"),
    );
    expect(heard).toEqual([
      "status a",
      "connected",
      "synced a",
      "status b",
      "gone a",
      "event Started",
    ]);
    expect(answers[0]?.asked).toBe("all");
  });

  test("connects again when the stream ends or breaks", async () => {
    let streams = 0;
    const { heard } = await follow(
      {
        capabilities: () => Promise.resolve(streaming),
        async *stream() {
          streams++;
          yield* snapshot;
          if (streams === 2) throw new ProtocolError("timeout", "fell silent");
        },
      },
      [],
      () => streams > 3,
    );
    expect(heard.filter((one) => one === "disconnected").length).toBeGreaterThanOrEqual(2);
    expect(heard.filter((one) => one === "connected").length).toBeGreaterThanOrEqual(3);
  });

  test("falls back to polling when the site that comes back cannot stream", async () => {
    let asked = 0;
    const { heard } = await follow(
      {
        capabilities: () => Promise.resolve(asked++ === 0 ? streaming : undefined),
        // oxlint-disable-next-line require-yield
        async *stream() {
          throw refused(404);
        },
        status: () => Promise.resolve([told("a")]),
      },
      [pod("a")],
      synced,
    );
    expect(heard).toEqual(["disconnected", "connected", "status a", "synced a"]);
  });

  test("asks nothing about pods before it knows what the site can do", async () => {
    let asked = 0;
    const { heard } = await follow(
      {
        capabilities: () =>
          asked++ === 0
            ? Promise.reject(new ProtocolError("unreachable", "no connection"))
            : Promise.resolve(streaming),
        async *stream() {
          yield* snapshot;
        },
        status: () => Promise.reject(new Error("polled")),
      },
      [pod("a")],
      synced,
    );
    expect(heard).toEqual(["disconnected", "status a", "connected", "synced a"]);
  });
});
