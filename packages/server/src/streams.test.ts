import { once } from "node:events";
import type { ServerResponse } from "node:http";
import { createInterlinkClient, type StatusStreamRecord } from "@interlink/protocol";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { fixture, open, send } from "./testing/go-caller.ts";
import { startSite, type TestSite } from "./testing/site.ts";

let site: TestSite;
beforeEach(async () => {
  site = await startSite({ limits: { followHeadersMs: 20, streams: 3 } });
});
afterEach(() => site[Symbol.asyncDispose]());

/** The plugin's side of the next request to this path: its response, in the test's hands. */
function nextResponse(path: string): Promise<ServerResponse> {
  return new Promise((resolve) => site.plugin.on(path, (_, response) => resolve(response)));
}

const follow = fixture("log-request").body;

describe("followed logs", () => {
  it("send headers before the first byte, then every chunk as it comes", async () => {
    const atPlugin = nextResponse("/getLogs");
    const caller = await open(site.address, "GET", "/getLogs", follow);
    expect(caller.statusCode).toBe(200);
    const plugin = await atPlugin;
    for (const chunk of ["one\n", "two"]) {
      plugin.write(chunk);
      const [got] = (await once(caller, "data")) as [Buffer];
      expect(got.toString()).toBe(chunk);
    }
    plugin.end();
    await once(caller, "end");
  });

  it("stop at the plugin when the caller leaves", async () => {
    const atPlugin = nextResponse("/getLogs");
    const controller = new AbortController();
    const caller = await open(site.address, "GET", "/getLogs", follow, {}, controller.signal);
    caller.on("error", () => {});
    const plugin = await atPlugin;
    plugin.write("x");
    await once(caller, "data");
    controller.abort();
    await once(plugin, "close");
  });

  it("stop at the plugin when the caller leaves before anything was written", async () => {
    const atPlugin = nextResponse("/getLogs");
    const controller = new AbortController();
    const caller = open(site.address, "GET", "/getLogs", follow, {}, controller.signal);
    caller.then((incoming) => incoming.on("error", () => {})).catch(() => {});
    const plugin = await atPlugin;
    const closed = once(plugin, "close");
    controller.abort();
    await closed;
  });

  it("break off for the caller when they break off at the plugin", async () => {
    const atPlugin = nextResponse("/getLogs");
    const caller = await open(site.address, "GET", "/getLogs", follow);
    const plugin = await atPlugin;
    plugin.write("half");
    await once(caller, "data");
    plugin.destroy();
    await expect(once(caller, "end")).rejects.toThrow("aborted");
  });

  it("do not read ahead of a slow caller", async () => {
    const atPlugin = nextResponse("/getLogs");
    const caller = await open(site.address, "GET", "/getLogs", follow);
    const plugin = await atPlugin;
    // Nobody reads at the caller's end: at some point the plugin's writes must stay unsent.
    const chunk = Buffer.alloc(1024 * 1024);
    let written = 0;
    while (plugin.write(chunk) || plugin.writableLength < 8 * chunk.length) {
      written += chunk.length;
      expect(written).toBeLessThan(200 * chunk.length);
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(plugin.writableLength).toBeGreaterThan(0);
    caller.destroy();
    await once(plugin, "close");
  });

  it("end when the server closes, although their caller reads nothing", async () => {
    const patient = await startSite({ limits: { followHeadersMs: 20, closeMs: 60_000 } });
    const atPlugin = new Promise<ServerResponse>((resolve) =>
      patient.plugin.on("/getLogs", (_, response) => resolve(response)),
    );
    const caller = await open(patient.address, "GET", "/getLogs", follow);
    caller.on("error", () => {});
    const plugin = await atPlugin;
    const chunk = Buffer.alloc(1024 * 1024);
    // Until nothing moves any more: the server waits for its caller.
    for (let still = 0, left = -1; still < 100; left = plugin.writableLength) {
      if (plugin.writableLength < 4 * chunk.length) plugin.write(chunk);
      await new Promise((resolve) => setImmediate(resolve));
      still = plugin.writableLength === left ? still + 1 : 0;
    }
    await patient[Symbol.asyncDispose]();
  });

  it("pass on a refusal of the plugin with its words", async () => {
    await using patient = await startSite({ limits: { followHeadersMs: 60_000 } });
    patient.plugin.says("/getLogs", "no such container: main", 404);
    const answer = await send(patient.address, "GET", "/getLogs", follow);
    expect(answer).toMatchObject({ code: 404, body: "no such container: main" });
  });

  it("are limited in number, and the limit counts those that are open", async () => {
    site.plugin.on("/getLogs", (_, response) => response.write("x"));
    const callers = await Promise.all(
      [1, 2, 3].map(() => open(site.address, "GET", "/getLogs", follow)),
    );
    const fourth = await send(site.address, "GET", "/getLogs", follow);
    expect(fourth.code).toBe(503);
    expect(fourth.headers["retry-after"]).toBe("1");
    for (const caller of callers) caller.destroy();
    const metric = async () => (await send(site.address, "GET", "/metrics")).body;
    while (!(await metric()).includes('interlink_server_streams{kind="logs"} 0'));
    site.plugin.says("/getLogs", "");
    expect((await send(site.address, "GET", "/getLogs", follow)).code).toBe(200);
  });
});

describe("the status stream", () => {
  const line = (name: string) => fixture(name).body;

  it("is not offered in front of a plugin that has none", async () => {
    const capabilities = await send(site.address, "GET", "/capabilities");
    expect(JSON.parse(capabilities.body)).toMatchObject({ protocol: "interlink", features: [] });
    expect((await send(site.address, "GET", "/status/stream")).code).toBe(404);
  });

  it("hands on records as they come, to each subscriber, with headers at once", async () => {
    site.plugin.says("/capabilities", fixture("capabilities").body);
    site.plugin.on("/status/stream", (_, response) => {
      response.write(line("stream-status") + line("stream-synced"));
    });
    const client = createInterlinkClient({ address: site.address, peer: "server" });
    try {
      expect((await client.capabilities())?.features).toEqual(["status-stream", "log-options"]);
      for (const subscriber of [client.statusStream(), client.statusStream()]) {
        const types: (StatusStreamRecord["type"] | undefined)[] = [];
        for (let n = 0; n < 2; n++)
          types.push(((await subscriber.next()).value ?? undefined)?.type);
        expect(types).toEqual(["status", "synced"]);
        await subscriber.return();
      }
    } finally {
      await client.close();
    }
    const metrics = await send(site.address, "GET", "/metrics");
    expect(metrics.body).toContain('interlink_server_pods{state="running"} 1');
  });

  it("breaks off when the plugin sends nonsense, and lets none of it through", async () => {
    site.plugin.says("/capabilities", fixture("capabilities").body);
    const atPlugin = nextResponse("/status/stream");
    const opening = open(site.address, "GET", "/status/stream");
    const plugin = await atPlugin;
    plugin.write(line("stream-synced"));
    const caller = await opening;
    let got = "";
    caller.on("data", (chunk: Buffer) => (got += chunk.toString()));
    const closed = once(plugin, "close");
    plugin.write('{"type":"gone","UID":"../../x"}\n');
    await expect(once(caller, "end")).rejects.toThrow("aborted");
    expect(got).toBe(line("stream-synced"));
    await closed;
  });

  it("passes on the plugin's refusal", async () => {
    site.plugin.says("/capabilities", fixture("capabilities").body);
    site.plugin.says("/status/stream", "starting", 503);
    const answer = await send(site.address, "GET", "/status/stream");
    expect(answer).toMatchObject({ code: 503, body: "starting" });
  });
});
