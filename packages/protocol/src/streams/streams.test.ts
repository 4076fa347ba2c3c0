import { randomBytes } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Duplex, PassThrough } from "node:stream";
import { describe, expect, it } from "vitest";
import { createInterlinkClient, type InterlinkClient } from "../client/client.ts";
import type { InterlinkClientOptions } from "../client/options.ts";
import { bytesOf, FakeProcess, startStreamPeer, writeAll } from "../testing/stream-peer.ts";
import { TEST_CERTIFICATE } from "../testing/tls.ts";
import { encodeData } from "./frame.ts";
import type { ExecRequest } from "./messages.ts";
import { servePort } from "./port-channel.ts";
import { serveProcess } from "./process-host.ts";
import { relay } from "./relay.ts";

const pod = { Namespace: "default", PodName: "web-0", PodUID: "u-1" };
const exec: ExecRequest = {
  ...pod,
  ContainerName: "main",
  Command: ["cat"],
  Stdin: true,
  Stdout: true,
  Stderr: true,
  TTY: false,
};

function clientOf(address: string, options: Partial<InterlinkClientOptions> = {}): InterlinkClient {
  return createInterlinkClient({ address, peer: "plugin", ...options });
}

/** Until the number has not changed for many turns of the event loop, each with time for the sockets. */
async function standsStill(number: () => number): Promise<void> {
  for (let still = 0, last = -1; still < 20; still++) {
    if (number() !== last) still = 0;
    last = number();
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

describe("a process behind a stream", () => {
  it("gets its input, gives its outputs apart, and tells its exit code after them", async () => {
    const running = new FakeProcess();
    await using peer = await startStreamPeer((socket) => serveProcess(socket, running));
    await using client = clientOf(peer.address, { token: () => "secret" });
    const streams = await client.exec(exec, { requestId: "id-7" });
    streams.stdin?.end("typed");
    const typed = await bytesOf(running.stdin);
    running.stdout.write("out");
    running.stderr.write("err");
    running.exit(7);
    const [stdout, stderr] = await Promise.all([bytesOf(streams.stdout), bytesOf(streams.stderr)]);
    expect([typed, stdout, stderr].map(String)).toEqual(["typed", "out", "err"]);
    expect(await streams.ended).toEqual({ exitCode: 7 });
    await running.whenClosed;
    const headers = peer.requests[0]?.headers ?? {};
    expect(headers["interlink-http-session"]).toBe("id-7");
    expect(headers.authorization).toBe("Bearer secret");
  });

  it("takes and gives ten megabytes unchanged, through a relay", async () => {
    const sent = randomBytes(10 * 1024 * 1024);
    const running = new FakeProcess();
    await using plugin = await startStreamPeer((socket) => serveProcess(socket, running));
    await using inner = clientOf(plugin.address);
    await using server = await startStreamPeer(async (socket) =>
      relay(socket, await inner.openStream({ type: "exec", request: exec })),
    );
    await using client = clientOf(server.address);
    const streams = await client.exec(exec);
    running.stdin.pipe(running.stdout, { end: false });
    running.stdin.once("end", () => running.exit(0));
    const [received] = await Promise.all([
      bytesOf(streams.stdout),
      writeAll(streams.stdin!, sent),
      bytesOf(streams.stderr),
    ]);
    expect(received.equals(sent)).toBe(true);
    expect(await streams.ended).toEqual({ exitCode: 0 });
  });

  it("is held back while nobody reads what it writes", async () => {
    const running = new FakeProcess();
    await using plugin = await startStreamPeer((socket) => serveProcess(socket, running));
    await using inner = clientOf(plugin.address);
    await using server = await startStreamPeer(async (socket) =>
      relay(socket, await inner.openStream({ type: "exec", request: exec })),
    );
    await using client = clientOf(server.address);
    const streams = await client.exec(exec);
    const piece = Buffer.alloc(1024 * 1024);
    const total = 64;
    let written = 0;
    const next = (): void => {
      while (written < total) {
        written++;
        if (!running.stdout.write(piece)) {
          running.stdout.once("drain", next);
          return;
        }
      }
    };
    next();
    await standsStill(() => written);
    expect(written).toBeLessThan(total);
    streams.close();
    await running.whenClosed;
  });

  it("hears of a new size of its terminal", async () => {
    const running = new FakeProcess();
    await using peer = await startStreamPeer((socket) => serveProcess(socket, running));
    await using client = clientOf(peer.address);
    const streams = await client.exec({ ...exec, Stderr: false, TTY: true });
    streams.resize({ width: 120, height: 40 });
    streams.stdin?.end();
    await bytesOf(running.stdin);
    expect(running.sizes).toEqual([{ width: 120, height: 40 }]);
    running.exit(0);
    await bytesOf(streams.stdout);
    expect(await streams.ended).toEqual({ exitCode: 0 });
  });

  it("is let go when the caller closes, and when the caller's signal fires", async () => {
    for (const way of ["close", "signal"]) {
      const running = new FakeProcess();
      await using peer = await startStreamPeer((socket) => serveProcess(socket, running));
      await using client = clientOf(peer.address);
      const controller = new AbortController();
      const streams = await client.exec(exec, { signal: controller.signal });
      if (way === "close") streams.close();
      else controller.abort();
      expect(await streams.ended).toEqual({ error: "the streams were closed" });
      await running.whenClosed;
    }
  });

  it("ends with an error when the connection breaks before its end was told", async () => {
    const running = new FakeProcess();
    await using peer = await startStreamPeer(async (socket) => {
      socket.send(encodeData(1, "half"), () => socket.destroy());
      running.close();
    });
    await using client = clientOf(peer.address);
    const streams = await client.exec(exec);
    const [stdout] = await Promise.all([bytesOf(streams.stdout), bytesOf(streams.stderr)]);
    expect(String(stdout)).toBe("half");
    expect(await streams.ended).toEqual({
      error: expect.stringContaining("the connection broke before the process ended"),
    });
  });

  it.each([
    ["a channel that was not asked for", Buffer.of(9, 1)],
    ["an empty message", Buffer.alloc(0)],
    ["an end that is no JSON", encodeData(3, "{")],
    ["an end of another kind", encodeData(3, '{"status":"Maybe"}')],
  ])("ends with an error when the peer sends %s", async (_, message) => {
    await using peer = await startStreamPeer(async (socket) => {
      socket.listen(() => undefined);
      socket.send(message);
      await socket.closed;
    });
    await using client = clientOf(peer.address);
    const streams = await client.exec(exec);
    streams.stdout?.resume();
    streams.stderr?.resume();
    expect(await streams.ended).toEqual({
      error: expect.stringContaining("the peer broke the rules of the stream"),
    });
  });

  it.each([
    ["data on an output", Buffer.of(1, 1)],
    ["an empty message", Buffer.alloc(0)],
    ["a half-closed output", Buffer.of(255, 1)],
    ["a size that is none", encodeData(4, '{"Width":-1,"Height":2}')],
    ["an unknown channel", Buffer.of(77, 1, 2)],
  ])("is let go when the caller sends %s", async (_, message) => {
    const running = new FakeProcess();
    await using peer = await startStreamPeer((socket) => serveProcess(socket, running));
    await using client = clientOf(peer.address);
    const socket = await client.openStream({ type: "exec", request: exec });
    socket.listen(() => undefined);
    socket.send(message);
    expect(await socket.closed).toMatchObject({ code: 1002, clean: true });
    await running.whenClosed;
  });

  it("is told to have failed when its output cannot be read", async () => {
    const running = new FakeProcess();
    await using peer = await startStreamPeer((socket) => serveProcess(socket, running));
    await using client = clientOf(peer.address);
    const streams = await client.exec(exec);
    streams.stdout?.resume();
    streams.stderr?.resume();
    running.stdout.destroy(new Error("disk on fire"));
    expect(await streams.ended).toEqual({
      error: expect.stringContaining("disk on fire"),
    });
  });
});

describe("opening a stream", () => {
  it("works over TLS and over a unix socket", async () => {
    const directory = await mkdtemp(join(tmpdir(), "interlink-stream-"));
    try {
      for (const where of [{ tls: true }, { unixSocket: join(directory, "a:b.sock") }]) {
        const running = new FakeProcess();
        await using peer = await startStreamPeer((socket) => serveProcess(socket, running), where);
        await using client = clientOf(peer.address, { tls: { ca: TEST_CERTIFICATE } });
        const streams = await client.attach(exec);
        running.exit(3);
        streams.stdout?.resume();
        streams.stderr?.resume();
        expect(await streams.ended).toEqual({ exitCode: 3 });
      }
    } finally {
      await rm(directory, { recursive: true });
    }
  });

  it("fails with the peer's own words and status", async () => {
    await using peer = await startStreamPeer(async () => undefined, {
      refuse: 'container not found ("main")',
    });
    await using client = clientOf(peer.address);
    await expect(client.exec(exec)).rejects.toMatchObject({
      code: "refused",
      httpStatus: 404,
      message: 'container not found ("main")',
    });
  });

  it("fails as aborted, timeout or unreachable when that is what happened", async () => {
    const silent = createServer();
    const sockets = new Set<Socket>();
    silent.on("connection", (socket) => sockets.add(socket));
    await new Promise<void>((resolve) => silent.listen(0, "127.0.0.1", resolve));
    const { port } = silent.address() as { port: number };
    await using client = clientOf(`http://127.0.0.1:${port}`);
    await expect(client.exec(exec, { timeoutMs: 50 })).rejects.toMatchObject({ code: "timeout" });
    await expect(client.exec(exec, { signal: AbortSignal.abort() })).rejects.toMatchObject({
      code: "aborted",
    });
    const opening = client.exec(exec);
    await client.close();
    await expect(opening).rejects.toMatchObject({ code: "aborted" });
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => silent.close(resolve));
    await using other = clientOf(`http://127.0.0.1:${port}`);
    await expect(other.exec(exec)).rejects.toMatchObject({ code: "unreachable" });
  });

  it("is refused to a browser, and without the subprotocol", async () => {
    await using peer = await startStreamPeer(async () => undefined);
    const headers = {
      connection: "upgrade",
      upgrade: "websocket",
      "sec-websocket-version": "13",
      "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==",
    };
    const { request } = await import("node:http");
    const ask = (more: Record<string, string>): Promise<string> =>
      new Promise((resolve, reject) => {
        const outgoing = request(`${peer.address}/exec`, { headers: { ...headers, ...more } });
        outgoing.on("response", (response) => void bytesOf(response).then(String).then(resolve));
        outgoing.on("upgrade", () => reject(new Error("it was accepted")));
        outgoing.on("error", reject);
        outgoing.end();
      });
    expect(
      await ask({ origin: "http://evil.example", "sec-websocket-protocol": "v5.channel.k8s.io" }),
    ).toContain("not for browsers");
    expect(await ask({})).toContain("the only subprotocol here is v5.channel.k8s.io");
  });
});

describe("a peer that has died", () => {
  it("is noticed by its silence", async () => {
    const running = new FakeProcess();
    await using peer = await startStreamPeer((socket) => serveProcess(socket, running), {
      pingMs: 10,
    });
    // It is never listened to, so it answers no ping, and has none of its own to send.
    await using client = clientOf(peer.address, { streamPingMs: 3_600_000 });
    await client.openStream({ type: "exec", request: exec });
    await running.whenClosed;
  });

  it("is not one that only reads slowly", async () => {
    const running = new FakeProcess();
    let pings = 0;
    let heardOften: () => void = () => undefined;
    const oftenEnough = new Promise<void>((resolve) => {
      heardOften = resolve;
    });
    await using peer = await startStreamPeer(
      (socket) => {
        socket.onPing(() => {
          if (++pings === 10) heardOften();
        });
        return serveProcess(socket, running);
      },
      { pingMs: 10 },
    );
    await using client = clientOf(peer.address, { streamPingMs: 10 });
    const held = await client.openStream({ type: "exec", request: exec });
    const first = await Promise.race([
      oftenEnough.then(() => "heard"),
      running.whenClosed.then(() => "cut"),
    ]);
    expect(first).toBe("heard");
    held.destroy();
    await running.whenClosed;
  });
});

describe("a port behind a stream", () => {
  async function port(handle: (socket: Socket) => void): Promise<{
    connect: () => Promise<Socket>;
    close: () => Promise<unknown>;
  }> {
    const { connect } = await import("node:net");
    const server = createServer({ allowHalfOpen: true }, handle);
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port: number } = server.address() as { port: number };
    return {
      connect: () =>
        new Promise((resolve, reject) => {
          const socket = connect({ port: number, host: "127.0.0.1", allowHalfOpen: true });
          socket.once("connect", () => resolve(socket));
          socket.once("error", reject);
        }),
      close: () => new Promise((resolve) => server.close(resolve)),
    };
  }

  it("takes and gives ten megabytes unchanged, and ends each way by itself", async () => {
    const sent = randomBytes(10 * 1024 * 1024);
    const answered = randomBytes(10 * 1024 * 1024);
    let received: Buffer | undefined;
    const there = await port((socket) => {
      void bytesOf(socket).then((bytes) => {
        received = bytes;
        // Only after the other side has ended.
        return writeAll(socket, answered);
      });
    });
    await using peer = await startStreamPeer(async (socket) =>
      servePort(socket, await there.connect()),
    );
    await using client = clientOf(peer.address);
    const connection = await client.portForward({ ...pod, Port: 80 });
    const [answer] = await Promise.all([bytesOf(connection), writeAll(connection, sent)]);
    expect(received?.equals(sent)).toBe(true);
    expect(answer.equals(answered)).toBe(true);
    await there.close();
  });

  it("tells the words when the connection breaks", async () => {
    const broken = new PassThrough();
    await using peer = await startStreamPeer((socket) =>
      servePort(socket, Duplex.from({ readable: broken, writable: new PassThrough() })),
    );
    await using client = clientOf(peer.address);
    const connection = await client.portForward({ ...pod, Port: 80 });
    broken.destroy(new Error("connection reset by peer"));
    await expect(bytesOf(connection)).rejects.toThrow("connection reset by peer");
  });

  it("is closed when the caller lets go", async () => {
    let closed: () => void = () => undefined;
    const whenClosed = new Promise<void>((resolve) => {
      closed = resolve;
    });
    const there = await port((socket) => {
      socket.on("error", () => undefined);
      socket.on("end", () => {
        socket.end();
        closed();
      });
      socket.resume();
    });
    await using peer = await startStreamPeer(async (socket) =>
      servePort(socket, await there.connect()),
    );
    await using client = clientOf(peer.address);
    const connection = await client.portForward({ ...pod, Port: 80 });
    connection.destroy();
    await whenClosed;
    await there.close();
  });
});
