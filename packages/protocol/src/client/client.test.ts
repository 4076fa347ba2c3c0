import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { propagation } from "@opentelemetry/api";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { ProtocolError } from "../errors.ts";
import {
  type LogRequest,
  type PodCreateRequest,
  type RetrievedPodData,
  ZERO_TIME,
} from "../messages.ts";
import { loadFixtures } from "../testing/fixtures.ts";
import {
  type Answerer,
  type RecordingPeer,
  startRecordingPeer,
} from "../testing/recording-peer.ts";
import { TEST_CERTIFICATE } from "../testing/tls.ts";
import { createInterlinkClient, type InterlinkClient } from "./client.ts";
import type { InterlinkClientOptions } from "./options.ts";

const fixtures = loadFixtures();
const fixture = (name: string) => fixtures.find((one) => one.name === name)!;
const createRequest = fixture("create-request").reads as PodCreateRequest;
const podData = fixture("plugin-create").reads as RetrievedPodData;
const { pod } = createRequest;

const logRequest: LogRequest = {
  Namespace: "default",
  PodUID: "u",
  PodName: "p",
  ContainerName: "c",
  Opts: {
    Tail: 0,
    Bytes: 0,
    Timestamps: false,
    Follow: true,
    Previous: false,
    SinceSeconds: 0,
    SinceTime: ZERO_TIME,
  },
};

let folder: string;
const open: AsyncDisposable[] = [];
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "interlink-client-"));
});
afterEach(async () => {
  for (const one of open.splice(0).toReversed()) await one[Symbol.asyncDispose]();
  await rm(folder, { recursive: true });
});

async function peerAnd(
  answer: Answerer,
  options: Partial<InterlinkClientOptions> = {},
  where: { unixSocket?: string; tls?: boolean } = {},
): Promise<{ peer: RecordingPeer; client: InterlinkClient }> {
  const peer = await startRecordingPeer(answer, where);
  const client = createInterlinkClient({ address: peer.address, peer: "plugin", ...options });
  open.push(peer, client);
  return { peer, client };
}

const answering =
  (body: string, statusCode = 200): Answerer =>
  (_, response) => {
    response.statusCode = statusCode;
    response.end(body);
  };

async function failure(promise: Promise<unknown>): Promise<ProtocolError> {
  const error = await promise.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(ProtocolError);
  return error as ProtocolError;
}

async function textOf(chunks: AsyncIterable<Uint8Array>): Promise<string> {
  let text = "";
  for await (const chunk of chunks) text += Buffer.from(chunk).toString("utf8");
  return text;
}

describe.each([
  ["TCP", false, false],
  ["a unix socket", true, false],
  ["TLS", false, true],
])("over %s", (_, unix, tls) => {
  it("sends GET with a JSON body and keeps the connection", async () => {
    const { peer, client } = await peerAnd(
      answering("null"),
      { tls: { ca: TEST_CERTIFICATE }, connections: 1 },
      { tls, ...(unix ? { unixSocket: join(folder, "peer.sock") } : {}) },
    );
    expect(await client.status([pod])).toEqual([]);
    await client.status([pod]);
    expect(peer.requests[0]).toMatchObject({
      method: "GET",
      url: "/status",
      body: fixture("status-request").body,
      headers: { "content-type": "application/json" },
    });
    if (unix) expect(peer.requests[0]?.headers.host).toBe("unix");
    expect(peer.connections()).toBe(1);
  });
});

describe("towards a plugin and towards an API server", () => {
  it("uses the methods that each of them expects", async () => {
    const seen: Record<string, string[]> = {};
    for (const role of ["plugin", "server"] as const) {
      const { peer, client } = await peerAnd(answering("{}"), { peer: role });
      await client.create(role === "plugin" ? podData : createRequest);
      await client.update(role === "plugin" ? podData : createRequest);
      await client.delete(pod);
      await client.ping();
      seen[role] = peer.requests.map(({ method, url, body }) =>
        `${method} ${url} ${body === "[]" ? "[]" : body.slice(0, 6)}`.trim(),
      );
    }
    expect(seen).toEqual({
      plugin: [
        'POST /create {"pod"',
        'POST /update {"pod"',
        'POST /delete {"meta',
        "GET /status []",
      ],
      server: [
        'POST /create {"pod"',
        'POST /update {"pod"',
        'DELETE /delete {"meta',
        "POST /pinglink",
      ],
    });
  });

  it("creates with the bytes of Go peers", async () => {
    const { peer, client } = await peerAnd(answering(fixture("create-answer-number").body, 201));
    expect((await client.create(podData)).PodJID).toBe("4711");
    await client.create(createRequest);
    expect(peer.requests.map(({ body }) => body)).toEqual([
      fixture("plugin-create").body,
      fixture("create-request").body,
    ]);
  });

  it("propagates the caller's request id and makes one that is fit when there is none", async () => {
    const { peer, client } = await peerAnd(answering("[]"));
    await client.status([], { requestId: "GetStatus#17" });
    await client.status([], { requestId: "bad\r\nx: y" });
    await client.ping();
    const ids = peer.requests.map(({ headers }) => headers["interlink-http-session"]);
    expect(ids[0]).toBe("GetStatus#17");
    expect(ids[1]).toMatch(/^GetStatus#[0-9a-f-]{36}$/);
    expect(ids[2]).toMatch(/^PingInterLink#[0-9a-f-]{36}$/);
  });

  it("carries the trace context of its caller", async () => {
    const { peer, client } = await peerAnd(answering("[]"));
    const traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    propagation.setGlobalPropagator({
      inject: (_context, carrier, setter) => setter.set(carrier, "traceparent", traceparent),
      extract: (context) => context,
      fields: () => ["traceparent"],
    });
    try {
      await client.ping();
    } finally {
      propagation.disable();
    }
    await client.ping();
    expect(peer.requests.map(({ headers }) => headers["traceparent"])).toEqual([
      traceparent,
      undefined,
    ]);
  });

  it("reads the token from its file at every call and trims it", async () => {
    const file = join(folder, "token");
    const { peer, client } = await peerAnd(answering("[]"), { token: { file } });
    await writeFile(file, "first\n");
    await client.ping();
    await writeFile(file, "  second  \n");
    await client.ping();
    await writeFile(file, "\n");
    await client.ping();
    expect(peer.requests.map(({ headers }) => headers.authorization)).toEqual([
      "Bearer first",
      "Bearer second",
      undefined,
    ]);
    await rm(file);
    expect((await failure(client.ping())).code).toBe("unavailable");
    expect(peer.requests).toHaveLength(3);
  });
});

describe("errors", () => {
  it("carry the peer's words and status", async () => {
    const { client } = await peerAnd(answering(fixture("error-api-server-json").body, 500));
    expect(await failure(client.create(podData))).toMatchObject({
      code: "refused",
      httpStatus: 500,
      message: "sbatch: error: invalid partition specified: gpu",
    });
  });

  it.each(["<html>", '[{"PodUID":7}]', "[1,2]", ""])(
    "say that a 2xx answer %j is wrong",
    async (body) => {
      const { client } = await peerAnd(answering(body));
      expect(await failure(client.create(podData))).toMatchObject({ code: "bad-answer" });
    },
  );

  it("say `unreachable` when nothing listens", async () => {
    const client = createInterlinkClient({
      address: `unix://${join(folder, "nobody.sock")}`,
      peer: "plugin",
    });
    open.push(client);
    expect(await failure(client.ping())).toMatchObject({ code: "unreachable", transient: true });
  });

  it("say `unreachable` when the connection breaks in the middle", async () => {
    const { client } = await peerAnd((_, response) => {
      response.writeHead(200, { "content-length": "100" });
      response.write("[");
      response.socket?.end();
    });
    expect(await failure(client.status([]))).toMatchObject({ code: "unreachable" });
  });

  it("say `unreachable` for a certificate that nobody trusts, unless told to accept it", async () => {
    const { peer, client } = await peerAnd(answering("[]"), {}, { tls: true });
    expect(await failure(client.ping())).toMatchObject({ code: "unreachable" });
    const careless = createInterlinkClient({
      address: peer.address,
      peer: "plugin",
      tls: { insecure: true },
    });
    open.push(careless);
    expect((await careless.ping()).raw).toBe("[]");
  });

  it("say `timeout` when the deadline is over, before and inside the body", async () => {
    const { client } = await peerAnd(
      ({ url }, response) => {
        if (url === "/status") response.write("[");
      },
      { deadlines: { create: 50, status: 50 } },
    );
    expect(await failure(client.create(podData))).toMatchObject({ code: "timeout" });
    expect(await failure(client.status([]))).toMatchObject({ code: "timeout" });
    expect(await failure(client.ping({ timeoutMs: 50 }))).toMatchObject({ code: "timeout" });
  });

  it("say `aborted` when the caller gives up, and the peer sees it", async () => {
    const controller = new AbortController();
    let closed: () => void;
    const peerSawIt = new Promise<void>((resolve) => {
      closed = resolve;
    });
    const { client } = await peerAnd((_, response) => {
      response.on("close", closed);
      controller.abort();
    });
    const call = client.create(podData, { signal: controller.signal });
    expect(await failure(call)).toMatchObject({ code: "aborted" });
    await peerSawIt;
  });

  it("say `aborted` at once when the signal fired before the call, and send nothing", async () => {
    const { peer, client } = await peerAnd(answering("[]"));
    expect(await failure(client.ping({ signal: AbortSignal.abort() }))).toMatchObject({
      code: "aborted",
    });
    expect(peer.requests).toHaveLength(0);
  });

  it("say `aborted` for calls in flight when the client is closed", async () => {
    let arrived: () => void;
    const inFlight = new Promise<void>((resolve) => {
      arrived = resolve;
    });
    const { client } = await peerAnd(() => arrived());
    const call = failure(client.create(podData));
    await inFlight;
    await client.close();
    expect(await call).toMatchObject({ code: "aborted" });
  });

  it("refuse an answer larger than the limit", async () => {
    const { client } = await peerAnd(answering(`"${"x".repeat(2000)}"`), { maxAnswerBytes: 1000 });
    expect(await failure(client.ping())).toMatchObject({ code: "bad-answer" });
  });

  it("leave nothing registered on a caller's long-lived signal", async () => {
    const { client } = await peerAnd(answering("[]"));
    const { signal } = new AbortController();
    let listeners = 0;
    const add = signal.addEventListener.bind(signal);
    const remove = signal.removeEventListener.bind(signal);
    signal.addEventListener = (...args: Parameters<typeof add>) => {
      listeners++;
      add(...args);
    };
    signal.removeEventListener = (...args: Parameters<typeof remove>) => {
      listeners--;
      remove(...args);
    };
    await client.status([], { signal });
    await textOf(await client.logs(logRequest, { signal }));
    expect(listeners).toBe(0);
  });
});

describe("capabilities", () => {
  it("are what the peer says", async () => {
    const { client } = await peerAnd(answering(fixture("capabilities").body));
    expect(await client.capabilities()).toEqual(fixture("capabilities").reads);
  });

  it.each([
    ["404", "404 page not found", 404],
    ["405", "", 405],
    ["501", "", 501],
    ["200 with a page of its own", "<html>hello</html>", 200],
  ])("are none when the peer answers %s", async (_, body, code) => {
    const { client } = await peerAnd(answering(body, code));
    expect(await client.capabilities()).toBeUndefined();
  });

  it("are an error when the peer fails: unknown is not none", async () => {
    const { client } = await peerAnd(answering("down", 503));
    expect(await failure(client.capabilities())).toMatchObject({ httpStatus: 503 });
  });
});

describe("logs", () => {
  it("come as they are written, and stop at the peer when the caller stops reading", async () => {
    let closed: () => void;
    const peerSawIt = new Promise<void>((resolve) => {
      closed = resolve;
    });
    const { client } = await peerAnd((_, response) => {
      response.on("close", closed);
      response.write("one\n");
    });
    for await (const chunk of await client.logs(logRequest)) {
      expect(Buffer.from(chunk).toString()).toBe("one\n");
      break;
    }
    await peerSawIt;
  });

  it("throw `aborted` when the signal fires in the middle", async () => {
    const controller = new AbortController();
    const { client } = await peerAnd((_, response) => void response.write("one\n"));
    const read = async () => {
      for await (const chunk of await client.logs(logRequest, { signal: controller.signal })) {
        expect(chunk.length).toBe(4);
        controller.abort();
      }
    };
    expect(await failure(read())).toMatchObject({ code: "aborted" });
  });

  it("throw when the peer breaks off: a cut log is not a whole log", async () => {
    const { client } = await peerAnd((_, response) => {
      response.write("one\n", () => response.destroy());
    });
    expect(await failure(client.logs(logRequest).then(textOf))).toMatchObject({
      code: "unreachable",
    });
  });

  it("are refused in the peer's words although its error never ends", async () => {
    const { client } = await peerAnd(
      (_, response) => {
        response.statusCode = 500;
        response.write("no such container");
      },
      { errorBodyMs: 50 },
    );
    expect(
      await failure(client.logs({ ...logRequest, Opts: { ...logRequest.Opts, Follow: true } })),
    ).toMatchObject({ code: "refused", message: "no such container" });
  });

  it("do not take connections from calls", async () => {
    const { client } = await peerAnd(
      ({ url }, response) => (url === "/getLogs" ? void response.write("x") : response.end("[]")),
      { connections: 1 },
    );
    const controller = new AbortController();
    const streams = await Promise.all(
      Array.from({ length: 20 }, () => client.logs(logRequest, { signal: controller.signal })),
    );
    expect(await client.status([])).toEqual([]);
    controller.abort();
    for (const stream of streams) await failure(textOf(stream));
  });
});

describe("the status stream", () => {
  const at = "2026-01-05T10:00:00Z";
  const line = (name: string) => fixture(name).body;

  it("yields records, whatever the chunks, and skips unknown types", async () => {
    const bytes = Buffer.from(
      `${line("stream-status")}{"type":"later"}\n\n${line("stream-synced")}${line("stream-event")}`,
    );
    const { client } = await peerAnd((_, response) => {
      for (let at = 0; at < bytes.length; at += 7) response.write(bytes.subarray(at, at + 7));
      response.end();
    });
    const types: string[] = [];
    for await (const record of client.statusStream()) types.push(record.type);
    expect(types).toEqual(["status", "synced", "event"]);
  });

  it.each([
    ["a broken line", "{nonsense}\n", "bad-answer"],
    ["a wrong record", '{"type":"gone","UID":"../x"}\n', "bad-answer"],
    ["a line without end", "x".repeat(2000), "bad-answer"],
    ["half a line at its end", `{"type":"synced","at":"${at}"}`, "bad-answer"],
  ])("throws on %s", async (_, body, code) => {
    const { client } = await peerAnd(answering(body), { maxLineBytes: 1000 });
    expect(await failure(client.statusStream().next())).toMatchObject({ code });
  });

  it("throws `timeout` when it falls silent", async () => {
    const { client } = await peerAnd((_, response) => void response.write(line("stream-synced")), {
      streamSilenceMs: 2000,
    });
    const stream = client.statusStream();
    expect((await stream.next()).value).toEqual({ type: "synced", at: "2026-01-05T10:00:06Z" });
    expect(await failure(stream.next())).toMatchObject({ code: "timeout" });
  });

  it("throws `aborted` when the signal fires while it waits", async () => {
    const controller = new AbortController();
    const { client } = await peerAnd((_, response) => void response.write(line("stream-synced")));
    const stream = client.statusStream({ signal: controller.signal });
    await stream.next();
    const next = failure(stream.next());
    controller.abort();
    expect(await next).toMatchObject({ code: "aborted" });
  });
});
