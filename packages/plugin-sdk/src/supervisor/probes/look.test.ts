import { once } from "node:events";
import { createServer } from "node:http";
import { createServer as createHttp2 } from "node:http2";
import { createServer as createHttps } from "node:https";
import type { AddressInfo, Server } from "node:net";
import { connect as connectTcp, createServer as createTcp } from "node:net";
import { Duplex } from "node:stream";
import fc from "fast-check";
import type { Probe } from "kubernetes-types/core/v1.js";
import { Agent } from "undici";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { TEST_CERTIFICATE, TEST_KEY } from "../../../../protocol/src/testing/tls.ts";
import { RuntimeError } from "../../runtime/runtime-error.ts";
import { FakeRuntime } from "../../testing/fake-runtime.ts";
import { ManualClock } from "../../testing/manual-clock.ts";
import { look } from "./look.ts";
import { checkRequest, readServingStatus } from "./look-grpc.ts";
import { portNumber } from "./pod-port.ts";

const closers: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

async function listen(server: Server): Promise<number> {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  closers.push(async () => {
    server.close();
    await once(server, "close");
  });
  return (server.address() as AddressInfo).port;
}

/** One whose pods this machine has no way to, but by the runtime's own connections, which are no sockets. */
class FarRuntime extends FakeRuntime {
  override async probeAddress(): Promise<undefined> {
    return undefined;
  }

  async connect(_uid: string, port: number): Promise<Duplex> {
    const socket = connectTcp({ host: "127.0.0.1", port });
    try {
      await once(socket, "connect");
    } catch (cause) {
      throw new RuntimeError("NotRunning", "Nothing listens there.", { cause });
    }
    return Duplex.from({ readable: socket, writable: socket });
  }
}

/** How the tests below come to the pod. */
let isFar = false;

function lookAt(
  probe: Probe,
  ports: { name: string; containerPort: number }[] = [],
  signal: AbortSignal = new AbortController().signal,
) {
  const dispatcher = new Agent({ connect: { rejectUnauthorized: false } });
  closers.push(() => dispatcher.destroy());
  const runtime = isFar ? new FarRuntime(new ManualClock()) : new FakeRuntime(new ManualClock());
  runtime.behaviours.set("main", {
    exec: ([command]) => ({ exitCode: command === "good" ? 0 : 1, output: "said so" }),
  });
  const handle = { uid: "u", containerName: "main", attempt: 0, id: "x" };
  return look({ runtime, dispatcher }, handle, { name: "main", ports }, probe, signal);
}

test("closes a connection through the runtime when what listens never answers a TLS greeting in time", async () => {
  isFar = true;
  const closed: Promise<unknown>[] = [];
  const silent = createTcp((socket) => void closed.push(once(socket.resume(), "close")));
  const port = await listen(silent);
  const limit = new AbortController();
  silent.once("connection", () => limit.abort());
  const seen = await lookAt({ httpGet: { port, scheme: "HTTPS" } }, [], limit.signal);
  expect(seen).toMatchObject({ ok: false });
  await Promise.all(closed);
});

describe.each([
  ["at the pod's address", false, "127.0.0.1"],
  ["through the runtime", true, "localhost"],
])("%s", (_way, far, host) => {
  beforeEach(() => {
    isFar = far;
  });

  describe("a look over HTTP", () => {
    test.each([
      [200, true, "hello"],
      [399, true, "hello"],
      [404, false, "HTTP probe failed with statuscode: 404"],
      [500, false, "HTTP probe failed with statuscode: 500"],
    ])("that is answered with %i", async (status, ok, output) => {
      const port = await listen(
        createServer((_request, response) => response.writeHead(status).end("hello")),
      );
      expect(await lookAt({ httpGet: { port, path: "/x" } })).toEqual({ ok, output });
    });

    test("is encrypted where the probe says HTTPS, and takes any certificate", async () => {
      const port = await listen(
        createHttps({ cert: TEST_CERTIFICATE, key: TEST_KEY }, (request, response) => {
          response.writeHead(request.url === "/up" ? 200 : 503).end("hello");
        }),
      );
      const scheme = "HTTPS";
      expect(await lookAt({ httpGet: { port, path: "/up", scheme } })).toEqual({
        ok: true,
        output: "hello",
      });
      expect(await lookAt({ httpGet: { port, path: "/down", scheme } })).toEqual({
        ok: false,
        output: "HTTP probe failed with statuscode: 503",
      });
      // A kubelet's answer is one, too: the server says that this is no HTTPS, or hangs up.
      expect(await lookAt({ httpGet: { port, path: "/up" } })).toMatchObject({ ok: false });
    });

    test("fails when what listens speaks no TLS", async () => {
      const port = await listen(createServer((_request, response) => response.end("hello")));
      expect(await lookAt({ httpGet: { port, scheme: "HTTPS" } })).toMatchObject({ ok: false });
    });

    test("follows redirects on the same host, and takes one to another as success with a warning", async () => {
      const port = await listen(
        createServer((request, response) => {
          if (request.url === "/here") response.writeHead(302, { location: "/there" }).end();
          else if (request.url === "/there") response.writeHead(503).end();
          else response.writeHead(302, { location: "http://elsewhere.invalid/" }).end("moved");
        }),
      );
      expect(await lookAt({ httpGet: { port, path: "/here" } })).toMatchObject({ ok: false });
      expect(await lookAt({ httpGet: { port, path: "/away" } })).toMatchObject({
        ok: true,
        warning: true,
      });
    });

    test("sends a kubelet's headers and the pod's", async () => {
      let seen: Record<string, unknown> = {};
      const port = await listen(
        createServer((request, response) => {
          seen = request.headers;
          response.end();
        }),
      );
      const httpHeaders = [{ name: "X-Own", value: "yes" }];
      await lookAt({ httpGet: { port, httpHeaders } });
      expect(seen).toMatchObject({ "x-own": "yes", accept: "*/*" });
      expect(seen["user-agent"]).toMatch(/^kube-probe\//);
    });

    test("fails in a kubelet's words when nobody listens", async () => {
      const server = createTcp();
      const port = await listen(server);
      await closers.pop()?.();
      expect(await lookAt({ httpGet: { port, path: "/" } })).toEqual({
        ok: false,
        output: `Get "http://${host}:${port}/": dial tcp ${host}:${port}: connect: connection refused`,
      });
      expect(await lookAt({ tcpSocket: { port } })).toEqual({
        ok: false,
        output: `dial tcp ${host}:${port}: connect: connection refused`,
      });
    });
  });

  test("a look over TCP succeeds when something listens, also at a port by name", async () => {
    const port = await listen(createTcp((socket) => socket.destroy()));
    expect(await lookAt({ tcpSocket: { port } })).toEqual({ ok: true, output: "" });
    const ports = [{ name: "web", containerPort: port }];
    expect(await lookAt({ tcpSocket: { port: "web" } }, ports)).toMatchObject({ ok: true });
    expect(await lookAt({ tcpSocket: { port: "other" } }, ports)).toMatchObject({ ok: false });
  });

  test("a look by command goes by its exit code", async () => {
    expect(await lookAt({ exec: { command: ["good"] } })).toEqual({ ok: true, output: "said so" });
    expect(await lookAt({ exec: { command: ["bad"] } })).toEqual({ ok: false, output: "said so" });
  });

  describe("a look over gRPC", () => {
    async function health(answer: Buffer | undefined, grpcStatus: string): Promise<number> {
      const server = createHttp2();
      server.on("stream", (stream, headers) => {
        expect(headers[":path"]).toBe("/grpc.health.v1.Health/Check");
        stream.respond(
          { ":status": 200, "content-type": "application/grpc" },
          {
            waitForTrailers: true,
          },
        );
        stream.on("wantTrailers", () => stream.sendTrailers({ "grpc-status": grpcStatus }));
        stream.end(answer);
      });
      return listen(server);
    }

    test.each([
      ["SERVING", Buffer.from([0, 0, 0, 0, 2, 8, 1]), "0", true, "service healthy"],
      [
        "NOT_SERVING",
        Buffer.from([0, 0, 0, 0, 2, 8, 2]),
        "0",
        false,
        'service unhealthy (responded with "NOT_SERVING")',
      ],
      [
        "without the service",
        undefined,
        "12",
        false,
        "this server does not implement the grpc health protocol (grpc.health.v1.Health)",
      ],
    ])("answered %s", async (_title, answer, grpcStatus, ok, output) => {
      const port = await health(answer, grpcStatus);
      expect(await lookAt({ grpc: { port, service: "shop" } })).toEqual({ ok, output });
    });
  });
});

describe("the messages of gRPC", () => {
  test("frames any service name with its length", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme", maxLength: 300 }), (service) => {
        const frame = checkRequest(service);
        expect(frame.readUInt32BE(1)).toBe(frame.length - 5);
        if (service !== "") expect(frame.toString("utf8").endsWith(service)).toBe(true);
      }),
    );
  });

  test("reads any bytes without failing", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
        expect(readServingStatus(Buffer.from(bytes))).toBeGreaterThanOrEqual(0);
      }),
    );
  });
});

test("the port of a pod that nobody reaches is told", async () => {
  const runtime = new FakeRuntime(new ManualClock());
  const unreachable = Object.assign(runtime, { probeAddress: async () => undefined });
  const handle = { uid: "u", containerName: "main", attempt: 0, id: "x" };
  const parts = { runtime: unreachable, dispatcher: new Agent() };
  const signal = new AbortController().signal;
  const probe = { tcpSocket: { port: 80 } };
  expect(await look(parts, handle, { name: "main" }, probe, signal)).toEqual({
    ok: false,
    output: "the port 80 of this pod cannot be reached from its host",
  });
});

test.each([
  [80, 80],
  ["80", 80],
  ["web", 8080],
  ["none", undefined],
  [0, undefined],
  [70_000, undefined],
])("the port %s is %s", (port, number) => {
  expect(portNumber(port, [{ name: "web", containerPort: 8080 }])).toBe(number);
});
