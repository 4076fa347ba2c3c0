import { once } from "node:events";
import { link, lstat, mkdir, stat, writeFile } from "node:fs/promises";
import { connect, createServer } from "node:net";
import { join } from "node:path";
import { writeDeleteRequest, writeLogRequest, writeRetrievedPodData } from "@interlink/protocol";
import fc from "fast-check";
import { Client } from "undici";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { PluginError } from "../plugin-error.ts";
import { eventually } from "../testing/eventually.ts";
import { FakeProvider, runningStatus } from "../testing/fake-provider.ts";
import { logRequest } from "../testing/log-request.ts";
import { podData } from "../testing/pod-data.ts";
import { recordingLogger, silentLogger } from "../testing/recording-logger.ts";
import { temporaryDirectory } from "../testing/temporary-directory.ts";
import type { RunningPlugin, ServePluginOptions } from "./options.ts";
import { servePlugin } from "./serve-plugin.ts";

const UID = "9d3b5e0e-0000-4000-8000-000000000001";
let provider: FakeProvider;
let plugin: RunningPlugin;
let client: Client;

async function serve(options: Partial<ServePluginOptions> = {}): Promise<void> {
  plugin = await servePlugin(provider, {
    listen: { host: "127.0.0.1", port: 0 },
    logger: silentLogger,
    version: "0.1.0",
    ...options,
  });
  const { address } = plugin;
  client = address.startsWith("unix://")
    ? new Client("http://unix", { socketPath: address.slice("unix://".length) })
    : new Client(address);
}

async function again(options: Partial<ServePluginOptions>): Promise<void> {
  await client.close();
  await plugin.close();
  provider = new FakeProvider();
  await serve(options);
}

beforeEach(async () => {
  provider = new FakeProvider();
  await serve();
});

afterEach(async () => {
  await client.destroy();
  await plugin.close();
});

type Method = "GET" | "POST" | "DELETE" | "PUT";

async function ask(
  method: Method,
  path: string,
  body?: string | Buffer,
  headers: Record<string, string> = {},
): Promise<{ status: number; text: string; headers: Record<string, unknown> }> {
  const answer = await client.request({
    method,
    path,
    headers: { "content-type": "application/json", ...headers },
    ...(body !== undefined && { body }),
  });
  return { status: answer.statusCode, text: await answer.body.text(), headers: answer.headers };
}

const createBody = writeRetrievedPodData(podData(UID));
const pod = podData(UID).pod;

describe("update", () => {
  async function taking(update: NonNullable<FakeProvider["update"]>): Promise<void> {
    await client.close();
    await plugin.close();
    provider = new FakeProvider();
    provider.update = update;
    await serve();
  }

  test("is there only where the provider takes updates", async () => {
    expect((await ask("POST", "/update", createBody)).status).toBe(404);
    const updated: string[] = [];
    await taking(async (data) => {
      updated.push(data.pod.metadata?.uid ?? "");
    });
    expect(await ask("POST", "/update", createBody)).toMatchObject({ status: 200 });
    expect(updated).toEqual([UID]);
    expect((await ask("POST", "/update", "{}")).status).toBe(400);
  });

  test("of a pod that is not here is answered with 404 and the provider's words", async () => {
    await taking(async () => {
      throw new PluginError("not-found", "No pod with UID 1 runs here.");
    });
    expect(await ask("POST", "/update", createBody)).toMatchObject({
      status: 404,
      text: "No pod with UID 1 runs here.",
    });
  });
});

describe("create", () => {
  test.each([
    ["an object", createBody],
    ["a list of one, from old peers", `[${createBody}]`],
  ])("takes %s and answers 200 with one object", async (_name, body) => {
    const { status, text } = await ask("POST", "/create", body);
    expect({ status, answer: JSON.parse(text) as unknown }).toEqual({
      status: 200,
      answer: { PodUID: UID, PodJID: "17" },
    });
  });

  test("a body without content type is read too", async () => {
    const { statusCode, body } = await client.request({
      method: "POST",
      path: "/create",
      body: createBody,
    });
    await body.dump();
    expect(statusCode).toBe(200);
  });

  test("a refusal reaches the caller in the provider's words", async () => {
    provider.onCreate = async () => {
      throw new PluginError("rejected", "There is no partition gpu here.");
    };
    expect(await ask("POST", "/create", createBody)).toMatchObject({
      status: 422,
      text: "There is no partition gpu here.",
    });
  });

  test("an unexpected error tells the caller only the request's id, and the log everything", async () => {
    const { logger, lines } = recordingLogger();
    await again({ logger });
    provider.onCreate = async () => {
      throw new Error("password=hunter2");
    };
    const headers = { "InterLink-Http-Session": "CreatePod#7" };
    const { status, text } = await ask("POST", "/create", createBody, headers);
    expect(status).toBe(500);
    expect(text).toContain("CreatePod#7");
    expect(text).not.toContain("hunter2");
    const told = lines.find(({ level }) => level >= 50);
    expect(told).toMatchObject({ requestId: "CreatePod#7", err: { message: "password=hunter2" } });
  });

  test("a provider that does not finish in time is told so, and so is the caller", async () => {
    await again({ deadlines: { create: 20 } });
    let reason: unknown;
    provider.onCreate = (_data, signal) => {
      signal.addEventListener("abort", () => {
        reason = signal.reason;
      });
      return new Promise(() => undefined);
    };
    const { status, text } = await ask("POST", "/create", createBody);
    expect({ status, text }).toEqual({
      status: 503,
      text: "The plugin was not done after 20 ms. Try again.",
    });
    expect(reason).toBeInstanceOf(PluginError);
  });

  test("a caller that leaves aborts the call", async () => {
    let aborted = false;
    provider.onCreate = (_data, signal) => {
      signal.addEventListener("abort", () => {
        aborted = true;
      });
      return new Promise(() => undefined);
    };
    const gone = new AbortController();
    const answer = client.request({
      method: "POST",
      path: "/create",
      body: createBody,
      signal: gone.signal,
    });
    await eventually("the provider is called", () => provider.calls.includes("create"));
    gone.abort();
    await expect(answer).rejects.toThrow();
    await eventually("the provider hears of it", () => aborted);
  });
});

describe("delete", () => {
  test.each(["POST", "DELETE"] as const)("takes %s", async (method) => {
    let deleted: string | undefined;
    provider.onDelete = async ({ metadata }) => {
      deleted = metadata?.uid;
    };
    const { status } = await ask(method, "/delete", writeDeleteRequest(pod));
    expect({ status, deleted }).toEqual({ status: 200, deleted: UID });
  });
});

describe("status", () => {
  test.each(["GET", "POST"] as const)(
    "of several pods in one question, with %s",
    async (method) => {
      provider.onStatus = async (pods) =>
        pods === "all" ? [] : pods.map(({ metadata }) => runningStatus(metadata?.uid ?? ""));
      const pods = ["a", "b"].map((uid) => podData(uid).pod);
      const { status, text } = await ask(method, "/status", JSON.stringify(pods));
      expect(status).toBe(200);
      expect(JSON.parse(text)).toMatchObject([{ UID: "a" }, { UID: "b" }]);
      expect(provider.calls).toEqual(["status"]);
    },
  );

  test.each([
    ["an empty list", "[]"],
    ["null", "null"],
    ["no body", undefined],
  ])("of %s is the ping, answered with 200 and an object", async (_name, body) => {
    provider.onPing = async () => ({ status: "ok", resources: { cpu: "4" } });
    const { status, text, headers } = await ask("GET", "/status", body);
    expect(status).toBe(200);
    expect(headers["content-type"]).toContain("application/json");
    expect(JSON.parse(text)).toEqual({ status: "ok", resources: { cpu: "4" } });
    expect(provider.calls).toEqual([]);
  });

  test("not knowing is an error, not an empty answer", async () => {
    provider.onStatus = async () => {
      throw new PluginError("unavailable", "squeue: error: Unable to contact controller");
    };
    const { status, text } = await ask("GET", "/status", JSON.stringify([pod]));
    expect({ status, text }).toEqual({
      status: 503,
      text: "squeue: error: Unable to contact controller",
    });
  });
});

describe("logs", () => {
  const body = writeLogRequest(logRequest(UID));
  const followed = writeLogRequest(logRequest(UID, { Follow: true }));

  test("followed stream as they come, headers at once", async () => {
    let more: () => void = () => undefined;
    const wait = new Promise<void>((resolve) => {
      more = resolve;
    });
    provider.onLogs = async function* () {
      await wait;
      yield Buffer.from("one\n");
      yield Buffer.from([0xff, 0x00]);
    };
    const answer = await client.request({ method: "GET", path: "/getLogs", body: followed });
    expect(answer.statusCode).toBe(200);
    more();
    const bytes = Buffer.from(await answer.body.arrayBuffer());
    expect(bytes.equals(Buffer.from("6f6e650aff00", "hex"))).toBe(true);
  });

  test("of a container that has written nothing are 200 and empty", async () => {
    expect(await ask("GET", "/getLogs", body)).toMatchObject({ status: 200, text: "" });
  });

  test("of an unknown pod say so", async () => {
    provider.onLogs = async function* () {
      yield* [];
      throw new PluginError("not-found", "No such pod.");
    };
    expect(await ask("GET", "/getLogs", body)).toMatchObject({ status: 404, text: "No such pod." });
  });

  test("that break off in the middle cut the connection", async () => {
    provider.onLogs = async function* () {
      yield Buffer.from("half");
      throw new Error("disk");
    };
    const answer = await client.request({ method: "GET", path: "/getLogs", body });
    await expect(answer.body.text()).rejects.toThrow();
  });

  test("stop being read when the caller leaves", async () => {
    let ended = false;
    provider.onLogs = async function* (_request, signal) {
      try {
        for (;;) {
          signal.throwIfAborted();
          yield Buffer.alloc(1024, "x");
        }
      } finally {
        ended = true;
      }
    };
    const answer = await client.request({ method: "GET", path: "/getLogs", body });
    answer.body.destroy();
    answer.body.on("error", () => undefined);
    await eventually("the provider's log is closed", () => ended);
  });
});

describe("about itself", () => {
  test("capabilities name the features and the runtime", async () => {
    const { text } = await ask("GET", "/capabilities");
    expect(JSON.parse(text)).toEqual({
      protocol: "interlink",
      version: "1.0",
      agent: "plugin-fake 0.1.0",
      features: ["status-stream", "log-options"],
      runtime: "fake",
    });
  });

  test("healthz is about the process, readyz about the resource", async () => {
    provider.onPing = async () => {
      throw new PluginError("unavailable", "The engine does not answer.");
    };
    expect(await ask("GET", "/healthz")).toMatchObject({ status: 200 });
    expect(await ask("GET", "/readyz")).toMatchObject({
      status: 503,
      text: "The engine does not answer.",
    });
    provider.onPing = async () => ({});
    expect(await ask("GET", "/readyz")).toMatchObject({ status: 200 });
  });

  test("metrics count calls by operation and status", async () => {
    await ask("POST", "/create", "{");
    const { text } = await ask("GET", "/metrics");
    expect(text).toMatch(/_count\{operation="\/create",status="400"\} 1/);
  });

  test("the request's id comes back, or a new one", async () => {
    const { headers } = await ask("GET", "/healthz", undefined, {
      "interlink-http-session": "GetStatus#3",
    });
    expect(headers["interlink-http-session"]).toBe("GetStatus#3");
    const other = await ask("GET", "/healthz");
    expect(other.headers["interlink-http-session"]).toMatch(/^Request-/);
  });

  test("unknown paths and methods are refused with a sentence", async () => {
    expect(await ask("GET", "/nothing")).toMatchObject({ status: 404 });
    expect(await ask("PUT", "/capabilities", "{}")).toMatchObject({ status: 405 });
    expect(await ask("GET", "/%")).toMatchObject({ status: 400 });
  });
});

describe("malformed input", () => {
  const endpoints = [
    ["POST", "/create", createBody],
    ["POST", "/delete", JSON.stringify(pod)],
    ["DELETE", "/delete", JSON.stringify(pod)],
    ["GET", "/status", JSON.stringify([pod])],
    ["GET", "/getLogs", writeLogRequest(logRequest(UID))],
  ] as const;

  test.each(endpoints)(
    "%s %s: any bytes give 4xx with a sentence, and nothing reaches the provider",
    async (method, path, good) => {
      const bytes = fc.oneof(
        fc.uint8Array({ minLength: 1 }).map((one) => Buffer.from(one)),
        fc.json().map((one) => Buffer.from(one)),
        // A good body with a piece cut out.
        fc
          .tuple(fc.nat(good.length - 1), fc.integer({ min: 1, max: 40 }))
          .map(([at, length]) => Buffer.from(good.slice(0, at) + good.slice(at + length))),
      );
      await fc.assert(
        fc.asyncProperty(bytes, async (body) => {
          provider.calls.length = 0;
          const { status, text } = await ask(method, path, body);
          // Cutting may leave a sound body; then the provider was asked, once.
          if (status === 200) {
            expect(provider.calls.length).toBeLessThanOrEqual(1);
            return;
          }
          expect(status).toBeGreaterThanOrEqual(400);
          expect(status).toBeLessThan(500);
          expect(text).toMatch(/^[A-Z].*\.$/s);
          expect(provider.calls).toEqual([]);
        }),
        { numRuns: 60 },
      );
      expect((await ask("GET", "/healthz")).status).toBe(200);
    },
  );

  test.each(endpoints)("%s %s: hostile shapes are refused", async (method, path) => {
    const hostile = [
      "[".repeat(100_000),
      `${'{"a":'.repeat(5_000)}1${"}".repeat(5_000)}`,
      '{"__proto__":{"x":1},"pod":{}}',
      '{"pod":{"metadata":{"uid":"../../etc","name":"a","namespace":"b"}}}',
      "1e999",
      '"text"',
      "{}",
    ];
    for (const body of hostile) {
      const { status } = await ask(method, path, body);
      expect({ body: body.slice(0, 40), ok: status >= 400 && status < 500 }).toEqual({
        body: body.slice(0, 40),
        ok: true,
      });
    }
    expect(provider.calls).toEqual([]);
  });

  test.each(endpoints)(
    "%s %s: a body over the limit is refused while it arrives",
    async (method, path) => {
      await again({ bodyLimitBytes: 1000 });
      const { status, text } = await ask(method, path, Buffer.alloc(50_000, " "));
      expect({ status, text }).toEqual({
        status: 413,
        text: expect.stringMatching(/^The body is larger than [14]000 bytes\.$/),
      });
      async function* unannounced() {
        for (let piece = 0; piece < 50; piece += 1) yield Buffer.alloc(1000, " ");
      }
      const answer = await client.request({ method, path, body: unannounced() as never });
      await answer.body.dump();
      expect(answer.statusCode).toBe(413);
      expect((await ask("GET", "/healthz")).status).toBe(200);
    },
  );

  test("what is not HTTP at all does no harm", async () => {
    const { hostname, port } = new URL(plugin.address);
    const socket = connect(Number(port), hostname);
    socket.end("\0\0\0 nonsense\r\n\r\n");
    socket.resume();
    await once(socket, "close");
    expect((await ask("GET", "/healthz")).status).toBe(200);
  });
});

describe("listening", () => {
  test("on a unix socket, for this user only, taking a dead socket over and removing it at the end", async () => {
    await using directory = await temporaryDirectory();
    const unixSocket = join(directory.path, "run", "plugin.sock");
    await mkdir(join(directory.path, "run"));
    const before = createServer();
    before.listen(join(directory.path, "dead.sock"));
    await once(before, "listening");
    // A socket file without a process behind it.
    await link(join(directory.path, "dead.sock"), unixSocket);
    before.close();
    await once(before, "close");
    expect((await lstat(unixSocket)).isSocket()).toBe(true);

    await again({ listen: { unixSocket } });
    expect(plugin.address).toBe(`unix://${unixSocket}`);
    expect((await stat(unixSocket)).mode & 0o777).toBe(0o600);
    expect((await ask("GET", "/healthz")).status).toBe(200);
    const second = servePlugin(new FakeProvider(), {
      listen: { unixSocket },
      logger: silentLogger,
      version: "0",
    });
    await expect(second).rejects.toMatchObject({ code: "conflict" });
    await plugin.close();
    await expect(stat(unixSocket)).rejects.toThrow("ENOENT");
  });

  test("never removes a file that is not a socket", async () => {
    await using directory = await temporaryDirectory();
    const unixSocket = join(directory.path, "precious");
    await writeFile(unixSocket, "data");
    const served = servePlugin(new FakeProvider(), {
      listen: { unixSocket },
      logger: silentLogger,
      version: "0",
    });
    await expect(served).rejects.toThrow("is not a socket");
    expect((await stat(unixSocket)).size).toBe(4);
  });

  test("is not begun when the provider cannot start, and the provider is closed again", async () => {
    const other = new FakeProvider();
    const start = async () => {
      throw new PluginError("unavailable", "The engine does not answer.");
    };
    const served = servePlugin(Object.assign(other, { start }), {
      listen: { host: "127.0.0.1", port: 0 },
      logger: silentLogger,
    });
    await expect(served).rejects.toThrow("The engine does not answer.");
    expect(other.closed).toBe(true);
  });

  test("on a port in use is refused, and the provider is closed again", async () => {
    const { hostname, port } = new URL(plugin.address);
    const other = new FakeProvider();
    const served = servePlugin(other, {
      listen: { host: hostname, port: Number(port) },
      logger: silentLogger,
      version: "0",
    });
    await expect(served).rejects.toMatchObject({ code: "conflict" });
    expect(other.closed).toBe(true);
  });
});

describe("closing", () => {
  test("lets calls under way finish, then closes the provider", async () => {
    let finish: () => void = () => undefined;
    provider.onCreate = () =>
      new Promise((resolve) => {
        finish = () => resolve({ PodUID: UID, PodJID: "late" });
      });
    const answer = ask("POST", "/create", createBody);
    await eventually("the provider is called", () => provider.calls.includes("create"));
    const closing = plugin.close();
    expect(provider.closed).toBe(false);
    finish();
    expect((await answer).status).toBe(200);
    await closing;
    expect(provider.closed).toBe(true);
  });

  test("ends followed logs, and cuts off what does not end in time", async () => {
    await again({ drainMs: 20 });
    provider.onCreate = () => new Promise(() => undefined);
    provider.onLogs = async function* () {
      yield Buffer.from("x");
      await new Promise(() => undefined);
    };
    const follow = writeLogRequest(logRequest(UID, { Follow: true }));
    const log = await client.request({ method: "GET", path: "/getLogs", body: follow });
    const text = expect(log.body.text()).rejects.toThrow();
    const other = new Client(plugin.address);
    const call = expect(
      other.request({ method: "POST", path: "/create", body: createBody }),
    ).rejects.toThrow();
    await eventually("the provider is called", () => provider.calls.includes("create"));
    await plugin.close();
    await text;
    await call;
    await other.destroy();
  });
});

test("a provider that promises a stream it does not have is refused at the start", async () => {
  const broken = Object.assign(new FakeProvider(), { subscribe: undefined as never });
  const served = servePlugin(broken, {
    listen: { host: "127.0.0.1", port: 0 },
    logger: silentLogger,
    version: "0",
  });
  await expect(served).rejects.toThrow("has no subscribe()");
});
