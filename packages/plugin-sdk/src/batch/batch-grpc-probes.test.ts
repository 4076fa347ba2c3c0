import { once } from "node:events";
import { createServer as createHttp } from "node:http";
import { constants, createServer, type ServerHttp2Stream, type ServerOptions } from "node:http2";
import { type AddressInfo, createServer as createTcp, type Server, type Socket } from "node:net";
import type { Probe } from "kubernetes-types/core/v1.js";
import { afterEach, expect, test } from "vitest";
import { checkRequest } from "../supervisor/probes/look-grpc.ts";
import { BatchJob, batchPod, shell } from "../testing/batch-job.ts";
import { eventually } from "../testing/eventually.ts";

const closers: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

async function listen(server: Server): Promise<number> {
  const sockets = new Set<Socket>();
  server.on("connection", (socket) => {
    sockets.add(socket);
    // How a client leaves is nobody's concern.
    socket.on("error", () => undefined);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  closers.push(async () => {
    const closed = once(server, "close");
    server.close();
    for (const socket of sockets) socket.destroy();
    await closed;
  });
  return (server.address() as AddressInfo).port;
}

type Answer = (stream: ServerHttp2Stream) => unknown;

/** A server of HTTP/2 proper. */
function http2(answer: Answer, options: ServerOptions = {}): Promise<number> {
  const server = createServer(options, undefined);
  server.on("sessionError", () => undefined);
  server.on("stream", (stream) => {
    stream.on("error", () => undefined);
    answer(stream);
  });
  return listen(server);
}

/** Writes the parts of `body`, each as a frame of its own, and `grpcStatus`. */
function grpc(body: readonly (readonly number[])[], grpcStatus = "0"): Answer {
  return async (stream) => {
    stream.respond(
      { ":status": 200, "content-type": "application/grpc" },
      { waitForTrailers: true },
    );
    stream.on("wantTrailers", () =>
      stream.sendTrailers({ "grpc-status": grpcStatus, "grpc-message": "it is so" }),
    );
    for (const part of body) {
      await new Promise((resolve) => stream.write(Buffer.from(part), resolve));
    }
    stream.end();
  };
}

const message = (status: number) => [0, 0, 0, 0, 2, 8, status];

/** A server that sends these bytes, one by one, once it is asked, whatever it is asked. */
function bytes(answer: readonly number[], end = false): Promise<number> {
  const server = createTcp((socket) => {
    socket.setNoDelay(true);
    const write = (at: number): unknown => {
      if (at < answer.length) return socket.write(Buffer.of(answer[at] ?? 0), () => write(at + 1));
      return end && socket.end();
    };
    socket.once("data", () => write(0));
  });
  return listen(server);
}

function frame(type: number, flags: number, payload: readonly number[] = [], stream = 1): number[] {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.length, 0, 3);
  head.writeUInt8(type, 3);
  head.writeUInt8(flags, 4);
  head.writeUInt32BE(stream, 5);
  return [...head, ...payload];
}

const SETTINGS = frame(4, 0, [], 0);
const STATUS_200 = [0x88];
const plain = (text: string) => [text.length, ...Buffer.from(text)];
const plainStatus = (status: string) => [0, ...plain("grpc-status"), ...plain(status)];
/** `grpc-status` by the Huffman code of RFC 7541, appendix B, and values in it. */
const huffmanName = [0x40, 0x88, 0x9a, 0xca, 0xc8, 0xb2, 0x12, 0x34, 0xda, 0x8f];
const huffman = {
  0: [0x81, 0x07],
  7: [0x81, 0x77],
  12: [0x82, 0x08, 0xbf],
  16: [0x82, 0x0b, 0x9f],
};

/** What the probe of each container has said, "ready" for nothing to complain about; 60 s, so that no busy machine fails it. */
async function looksAt(
  ports: Readonly<Record<string, number>>,
  rest: Partial<Probe> = {},
): Promise<Record<string, string>> {
  const containers = Object.entries(ports).map(([name, port]) => {
    const grpc = { port, service: "shop" };
    const readinessProbe: Probe = { grpc, failureThreshold: 1, timeoutSeconds: 60, ...rest };
    return shell(name, "exec sleep 1000", { readinessProbe });
  });
  await using job = await BatchJob.start(batchPod({ containers }));
  return await eventually("what the probe of each container says", async () => {
    const said: Record<string, string> = {};
    for (const line of await job.lines()) {
      const [word, name = "", _attempt, _kind, text = ""] = line.split(" ");
      if (word === "ready") said[name] = "ready";
      if (word === "unhealthy") said[name] = Buffer.from(text, "base64").toString();
    }
    return Object.keys(said).length === containers.length && said;
  });
}

test("a service that says SERVING is well, however its server puts it", async () => {
  const seen: unknown[] = [];
  const ports = {
    "at-once": await http2((stream) => {
      stream.once("data", (body) => {
        seen.push(body);
        grpc([message(1)])(stream);
      });
    }),
    "in-parts": await http2(grpc([[0], [0, 0, 0], [2, 8], [1]])),
    padded: await http2(grpc([message(1)]), {
      paddingStrategy: constants.PADDING_STRATEGY_MAX,
    }),
    "by-huffman": await bytes([
      ...SETTINGS,
      ...frame(1, 4, STATUS_200),
      ...frame(0, 0, message(1)),
      ...frame(1, 5, [...huffmanName, ...huffman[0]]),
    ]),
    "much-else": await bytes([
      ...frame(4, 0, [0, 3, 0, 0, 0, 100], 0),
      ...frame(4, 1, [], 0),
      ...frame(8, 0, [0, 0, 255, 255], 0),
      ...frame(6, 0, [1, 2, 3, 4, 5, 6, 7, 8], 0),
      // No error, and this stream is answered still.
      ...frame(7, 0, [0x7f, 255, 255, 255, 0, 0, 0, 0], 0),
      ...frame(1, 0, STATUS_200),
      ...frame(9, 4, [0, ...plain("x"), ...plain("y")]),
      ...frame(0, 0, [0, 0, 0, 0, 7, 0x12, 3, 8, 2, 0, 8]),
      // Padded by two.
      ...frame(0, 8, [2, 1, 0, 0]),
      ...frame(1, 1, [0x40]),
      ...frame(9, 0, plain("grpc-status")),
      ...frame(9, 4, plain("0")),
    ]),
    "after-the-settings": await http2((stream) => {
      // Agreed on as soon as the client has acknowledged them.
      if (stream.session?.pendingSettingsAck) {
        stream.session.once("localSettings", () => grpc([message(1)])(stream));
      } else grpc([message(1)])(stream);
    }),
  };
  const said = await looksAt(ports);
  expect(said).toEqual(Object.fromEntries(Object.keys(ports).map((name) => [name, "ready"])));
  expect(seen).toEqual([checkRequest("shop")]);
});

test("a service that is not well is told of in the words of the other plugins", async () => {
  const trailers = (status: string): Answer => {
    return (stream) =>
      stream.respond({ ":status": 200, "grpc-status": status }, { endStream: true });
  };
  const only = (value: readonly number[]) =>
    bytes([...SETTINGS, ...frame(1, 5, [...STATUS_200, ...huffmanName, ...value])]);
  const ports = {
    "not-serving": await http2(grpc([message(2)])),
    unknown: await http2(grpc([message(3)])),
    "left-out": await http2(grpc([[0, 0, 0, 0, 0]])),
    other: await http2(grpc([message(77)])),
    "no-service": await http2(trailers("5")),
    unimplemented: await http2(trailers("12")),
    "unimplemented-by-huffman": await only(huffman[12]),
    "seven-by-huffman": await only(huffman[7]),
    "sixteen-by-huffman": await only(huffman[16]),
    plainly: await bytes([...SETTINGS, ...frame(1, 5, plainStatus("14"))]),
    failed: await http2(grpc([message(1)], "13")),
    "no-status": await http2((stream) => stream.respond({ ":status": 503 }, { endStream: true })),
  };
  const rpc = (name: keyof typeof ports) =>
    `health rpc to 127.0.0.1:${ports[name]} ended with grpc`;
  const unhealthy = (status: string) => `service unhealthy (responded with "${status}")`;
  const missing = "this server does not implement the grpc health protocol (grpc.health.v1.Health)";
  expect(await looksAt(ports)).toEqual({
    "not-serving": unhealthy("NOT_SERVING"),
    unknown: unhealthy("SERVICE_UNKNOWN"),
    "left-out": unhealthy("UNKNOWN"),
    other: unhealthy("77"),
    "no-service": `${rpc("no-service")} status 5`,
    unimplemented: missing,
    "unimplemented-by-huffman": missing,
    "seven-by-huffman": `${rpc("seven-by-huffman")} status 7`,
    "sixteen-by-huffman": `${rpc("sixteen-by-huffman")} status 16`,
    plainly: `${rpc("plainly")} status 14`,
    failed: `${rpc("failed")} status 13`,
    "no-status": `${rpc("no-status")} status 2`,
  });
});

test("a server that does not answer so is told of in words, and can send no more than so much", async () => {
  const ports = {
    refused: 1,
    "http-1": await listen(createHttp((_request, response) => response.end("hello"))),
    "no-words": await bytes([...Buffer.from("SSH-2.0-OpenSSH_9.2p1\r\n")]),
    gone: await listen(createTcp((socket) => socket.end())),
    "gone-early": await bytes([...SETTINGS, ...frame(1, 4, STATUS_200), 0, 0], true),
    reset: await http2((stream) => stream.close(constants.NGHTTP2_REFUSED_STREAM)),
    leaving: await http2((stream) => stream.session?.goaway(constants.NGHTTP2_INTERNAL_ERROR)),
    "has-left": await bytes([...SETTINGS, ...frame(7, 0, [0, 0, 0, 0, 0, 0, 0, 0], 0)]),
    large: await bytes([...SETTINGS, 0, 0x40, 1, 0, 0, 0, 0, 0, 1]),
    "badly-padded": await bytes([...SETTINGS, ...frame(0, 8, [2, 1])]),
    compressed: await bytes([
      ...SETTINGS,
      ...frame(0, 0, [1, ...message(1).slice(1)]),
      ...frame(1, 5, plainStatus("0")),
    ]),
    endless: await listen(
      createTcp((socket) => {
        const more = Buffer.from(frame(0, 0, Array(16_384).fill(0)));
        const write = () => socket.write(more, (error) => error || write());
        socket.write(Buffer.from(SETTINGS), write);
      }),
    ),
  };
  const said = await looksAt(ports);
  const rpc = (name: keyof typeof ports, why: string) =>
    `health rpc to 127.0.0.1:${ports[name]}: ${why}`;
  const closed = "the connection was closed without an answer";
  const other = "the answer is not HTTP/2";
  expect(said).toEqual({
    refused: "dial tcp 127.0.0.1:1: connect: connection refused",
    "http-1": rpc("http-1", other),
    "no-words": rpc("no-words", other),
    gone: rpc("gone", closed),
    "gone-early": rpc("gone-early", closed),
    reset: rpc("reset", "Stream closed with error code NGHTTP2_REFUSED_STREAM"),
    leaving: rpc("leaving", "Session closed with error code NGHTTP2_INTERNAL_ERROR"),
    "has-left": rpc("has-left", "Session closed with error code NGHTTP2_NO_ERROR"),
    large: rpc("large", other),
    "badly-padded": rpc("badly-padded", other),
    compressed: rpc("compressed", "the answer is compressed"),
    endless: rpc("endless", "the answer is too long"),
  });
});

test("a server that takes longer than it may is given up in the words of the other plugins", async () => {
  const ports = {
    silent: await listen(createTcp(() => undefined)),
    hung: await bytes([...SETTINGS, ...frame(1, 4, STATUS_200), 0]),
  };
  const late = (port: number) =>
    `timeout: health rpc to 127.0.0.1:${port} did not complete in time`;
  expect(await looksAt(ports, { timeoutSeconds: 1 })).toEqual({
    silent: late(ports.silent),
    hung: late(ports.hung),
  });
});

test("a liveness probe over gRPC has its container restarted", async () => {
  const port = await http2(grpc([message(2)]));
  const livenessProbe = {
    grpc: { port },
    failureThreshold: 1,
    periodSeconds: 1,
    timeoutSeconds: 60,
  };
  const main = shell("main", "trap 'exit 1' TERM; while :; do sleep 0.05; done", { livenessProbe });
  await using job = await BatchJob.start(
    batchPod({ restartPolicy: "OnFailure", containers: [main] }),
  );
  await job.until("started main 1");
  const { events = [] } = await job.records();
  expect(events.map(({ reason, message }) => `${reason}: ${message}`)).toContain(
    'Unhealthy: Liveness probe failed: service unhealthy (responded with "NOT_SERVING")',
  );
});
