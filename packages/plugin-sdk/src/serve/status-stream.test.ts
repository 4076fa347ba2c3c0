import { once } from "node:events";
import { connect } from "node:net";
import type { InterlinkClient, RemotePodStatus, StatusStreamRecord } from "@interlink/protocol";
import { createInterlinkClient } from "@interlink/protocol";
import { afterEach, beforeEach, expect, test } from "vitest";
import { PluginError } from "../plugin-error.ts";
import { eventually } from "../testing/eventually.ts";
import { FakeProvider, runningStatus } from "../testing/fake-provider.ts";
import { silentLogger } from "../testing/recording-logger.ts";
import type { RunningPlugin } from "./options.ts";
import { servePlugin } from "./serve-plugin.ts";

let provider: FakeProvider;
let plugin: RunningPlugin;
let client: InterlinkClient;

beforeEach(async () => {
  provider = new FakeProvider();
  plugin = await servePlugin(provider, {
    listen: { host: "127.0.0.1", port: 0 },
    logger: silentLogger,
    version: "0.1.0",
    heartbeatMs: 20,
  });
  client = createInterlinkClient({ address: plugin.address, peer: "plugin" });
});

afterEach(async () => {
  await client.close();
  await plugin.close();
});

/** Reads the stream in the background; heartbeats are counted, not kept. */
function listen(signal?: AbortSignal) {
  const records: StatusStreamRecord[] = [];
  let heartbeats = 0;
  const ended = (async () => {
    for await (const record of client.statusStream(signal === undefined ? {} : { signal })) {
      if (record.type === "heartbeat") heartbeats += 1;
      else records.push(record);
    }
  })();
  ended.catch(() => undefined);
  return { records, ended, heartbeats: () => heartbeats };
}

const has = (records: readonly StatusStreamRecord[], type: StatusStreamRecord["type"]) =>
  records.some((record) => record.type === type);

test("begins with every pod that is known, then synced, then changes as they come", async () => {
  provider.onStatus = async () => [runningStatus("a", 1), runningStatus("b", 1)];
  const { records } = listen();
  await eventually("synced", () => has(records, "synced"));
  expect(records.map(({ type }) => type)).toEqual(["status", "status", "synced"]);
  provider.tell((listener) => listener.status(runningStatus("a", 2)));
  provider.tell((listener) => listener.gone({ UID: "b", name: "pod-b", namespace: "default" }));
  await eventually("the changes", () => records.length === 5);
  expect(records.slice(3)).toEqual([
    { type: "status", status: runningStatus("a", 2) },
    { type: "gone", UID: "b", name: "pod-b", namespace: "default" },
  ]);
});

test("loses no change that happens while the snapshot is made", async () => {
  let answer: (statuses: RemotePodStatus[]) => void = () => undefined;
  provider.onStatus = () =>
    new Promise((resolve) => {
      answer = resolve;
    });
  const { records } = listen();
  await eventually("the snapshot is asked for", () => provider.calls.includes("status"));
  expect(provider.listeners.size).toBe(1);
  provider.tell((listener) => listener.status(runningStatus("a", 2)));
  provider.tell((listener) => listener.status(runningStatus("new", 1)));
  answer([runningStatus("a", 1)]);
  await eventually("synced", () => has(records, "synced"));
  expect(records.slice(0, 2)).toEqual([
    { type: "status", status: runningStatus("a", 2) },
    { type: "status", status: runningStatus("new", 1) },
  ]);
});

test("sends heartbeats while nothing happens", async () => {
  const { heartbeats } = listen();
  await eventually("two heartbeats", () => heartbeats() >= 2);
});

test("is refused when the resource does not answer: no snapshot is better than a false one", async () => {
  provider.onStatus = async () => {
    throw new PluginError("unavailable", "The engine does not answer.");
  };
  await expect(listen().ended).rejects.toThrow("The engine does not answer.");
  expect(provider.listeners.size).toBe(0);
});

test("ends for the reader when the plugin closes, and for the plugin when the reader leaves", async () => {
  const leaving = new AbortController();
  const first = listen(leaving.signal);
  const second = listen();
  await eventually("both are connected", () => provider.listeners.size === 2);
  leaving.abort();
  await eventually("the first has gone", () => provider.listeners.size === 1);
  await expect(first.ended).rejects.toThrow();
  await eventually("the second is synced", () => has(second.records, "synced"));
  await plugin.close();
  await second.ended;
  expect(provider.listeners.size).toBe(0);
});

test("a reader that stops reading costs one record per pod, and gets the latest when it reads on", async () => {
  const { hostname, port } = new URL(plugin.address);
  const socket = connect(Number(port), hostname);
  await once(socket, "connect");
  socket.write("GET /status/stream HTTP/1.1\r\nHost: x\r\n\r\n");
  await eventually("it is connected", () => provider.listeners.size === 1);
  const filler = "x".repeat(200_000);
  const last = 400;
  // 80 MB, far more than the sockets hold.
  for (let revision = 1; revision <= last; revision += 1) {
    provider.tell((listener) =>
      listener.status({ ...runningStatus("a", revision), JID: `${revision}-${filler}` }),
    );
    await new Promise((resolve) => {
      setImmediate(resolve);
    });
  }
  let text = "";
  socket.on("data", (piece: Buffer) => {
    text += piece.toString("latin1");
  });
  await eventually("the latest", () => text.includes(`"JID":"${last}-`));
  expect(text.split('"JID"').length - 1).toBeLessThan(last);
  socket.destroy();
});
