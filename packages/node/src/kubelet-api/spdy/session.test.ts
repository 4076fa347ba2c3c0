import { once } from "node:events";
import { connect, createServer, type Server, type Socket } from "node:net";
import { eventually } from "@interlink/kube/testing";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { SpdyClient } from "../../testing/spdy-client.ts";
import { SpdySession } from "./session.ts";
import type { SpdyStream } from "./stream.ts";

let server: Server;
let sessions: SpdySession[];
let opened: SpdyStream[];
let admitted: (type: string) => boolean;
let sockets: Socket[];

beforeEach(async () => {
  sessions = [];
  opened = [];
  sockets = [];
  admitted = () => true;
  server = createServer({ allowHalfOpen: true }, (socket) => {
    sessions.push(
      new SpdySession({
        socket,
        admit: (headers) => admitted(headers.get("streamtype")?.[0] ?? ""),
        opened: (stream) => opened.push(stream),
        maxStreams: 4,
        lingerMs: 50,
      }),
    );
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
});

afterEach(async () => {
  for (const socket of sockets) socket.destroy();
  for (const session of sessions) session.destroy();
  await new Promise((resolve) => server.close(resolve));
});

async function dial(): Promise<Socket> {
  const address = server.address() as { port: number };
  const socket = connect(address.port, "127.0.0.1");
  sockets.push(socket);
  await once(socket, "connect");
  return socket;
}
function stream(index: number): SpdyStream {
  const found = opened[index];
  if (found === undefined) throw new Error(`there is no stream ${index}`);
  return found;
}

/** Unlike iteration, leaves the other direction alone. */
async function readAll(from: SpdyStream): Promise<Buffer> {
  const parts: Buffer[] = [];
  from.on("data", (part: Buffer) => parts.push(part));
  await once(from, "end");
  return Buffer.concat(parts);
}
const client = async (): Promise<SpdyClient> => new SpdyClient(await dial());

describe("a session", () => {
  it("replies to each stream, gives its headers, and carries bytes and ends both ways", async () => {
    const peer = await client();
    const one = await peer.open({ streamtype: "data", port: "80" });
    const two = await peer.open({ StreamType: "error" }, true);
    await eventually(() => one.replied && two.replied);
    const [first, second] = [stream(0), stream(1)];
    expect(first.header("streamtype")).toBe("data");
    expect(first.header("port")).toBe("80");
    expect(second.header("streamtype")).toBe("error");
    peer.write(one, "hel");
    peer.write(one, "lo", true);
    expect((await readAll(first)).toString()).toBe("hello");
    first.end("world");
    second.end();
    await eventually(() => one.ended && two.ended);
    expect([one.text(), two.text()]).toEqual(["world", ""]);
    expect([one.reset, two.reset]).toEqual([undefined, undefined]);
  });

  it("answers pings of the client", async () => {
    const peer = await client();
    peer.send({ type: "ping", id: 1 });
    peer.send({ type: "ping", id: 2 });
    peer.send({ type: "ping", id: 3 });
    await eventually(() => peer.pings.length === 2);
    expect(peer.pings).toEqual([1, 3]);
  });

  it("refuses streams that are not admitted, or too many, and goes on with the others", async () => {
    admitted = (type) => type !== "odd";
    const peer = await client();
    const odd = await peer.open({ streamtype: "odd" });
    for (let count = 0; count < 4; count += 1) await peer.open({ streamtype: "data" });
    const fifth = await peer.open({ streamtype: "data" });
    await eventually(() => odd.reset !== undefined && fifth.reset !== undefined);
    expect(opened).toHaveLength(4);
    stream(0).destroy();
    const sixth = await peer.open({ streamtype: "data" });
    await eventually(() => sixth.replied);
  });

  it("resets a stream that is destroyed, and ends one that the client resets", async () => {
    const peer = await client();
    const one = await peer.open({ streamtype: "a" });
    const two = await peer.open({ streamtype: "b" });
    await eventually(() => opened.length === 2);
    stream(0).destroy();
    await eventually(() => one.reset === 5);
    peer.send({ type: "rst-stream", streamId: two.id, status: 5 });
    await eventually(() => stream(1).destroyed);
    expect(two.reset).toBeUndefined();
  });

  it("holds the client back when a stream is not read, and loses nothing", async () => {
    const peer = await dial();
    const speaker = new SpdyClient(peer);
    const stdin = await speaker.open({ streamtype: "stdin" });
    await eventually(() => opened.length === 1);
    const total = 64 * 1024 * 1024;
    for (let sent = 0; sent < total; sent += 1 << 20)
      speaker.write(stdin, Buffer.alloc(1 << 20, 7));
    speaker.write(stdin, "", true);
    let last = -1;
    await eventually(() => {
      const still = peer.bytesWritten === last;
      last = peer.bytesWritten;
      return still && peer.writableLength > 0;
    });
    expect(await readAll(stream(0))).toHaveLength(total);
  });

  it("delivers all that was written before close, then says goodbye", async () => {
    const peer = await client();
    const stdout = await peer.open({ streamtype: "stdout" });
    await eventually(() => opened.length === 1);
    const bytes = Buffer.alloc(3_000_000, 5);
    stream(0).end(bytes);
    await once(stream(0), "finish");
    await sessions[0]?.close();
    await eventually(() => peer.closed);
    expect(stdout.bytes().equals(bytes)).toBe(true);
    expect([stdout.ended, peer.goneAway]).toEqual([true, true]);
  });

  it("ends its streams when the connection is cut", async () => {
    const peer = await client();
    await peer.open({ streamtype: "stdin" });
    await eventually(() => opened.length === 1);
    peer.destroy();
    await sessions[0]?.closed;
    expect(stream(0).destroyed).toBe(true);
  });

  it("closes on a stream id that cannot be", async () => {
    const peer = await client();
    peer.send({
      type: "syn-stream",
      streamId: 2,
      fin: false,
      headerBlock: await peer.deflate(Buffer.alloc(4)),
    });
    await eventually(() => peer.closed);
    await expect(sessions[0]?.closed).resolves.toMatchObject({ name: "SpdyError" });
  });
});

it("hostile bytes close the connection, and nothing else", async () => {
  const any = fc.uint8Array({ minLength: 8, maxLength: 200 });
  const frameLike = fc.tuple(fc.nat(9), fc.nat(255), any).map(([type, flags, payload]) => {
    const head = Buffer.from([0x80, 3, 0, type, flags, 0, 0, payload.length]);
    return Buffer.concat([head, payload]);
  });
  await fc.assert(
    fc.asyncProperty(fc.array(fc.oneof(any, frameLike), { maxLength: 5 }), async (parts) => {
      const before = sessions.length;
      const socket = await dial();
      socket.on("error", () => undefined).resume();
      for (const part of parts) socket.write(part);
      socket.end();
      await eventually(() => sessions.length > before);
      await sessions.at(-1)?.closed;
    }),
    { numRuns: 40 },
  );
});
