import { createServer, type IncomingMessage } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { AddressInfo } from "node:net";
import { PassThrough, type Readable, type Writable } from "node:stream";
import type { MessageSocket } from "../streams/message-socket.ts";
import type { ProcessEnd, ProcessStreams, TerminalSize } from "../streams/messages.ts";
import { createUpgrades } from "../streams/upgrades.ts";
import { TEST_CERTIFICATE, TEST_KEY } from "./tls.ts";

export interface StreamPeer extends AsyncDisposable {
  readonly address: string;
  readonly requests: IncomingMessage[];
}

/** A peer that answers every upgrade with a stream, or refuses it with the words that `serve` throws. */
export async function startStreamPeer(
  serve: (socket: MessageSocket, request: IncomingMessage) => Promise<unknown>,
  options: { unixSocket?: string; tls?: boolean; pingMs?: number; refuse?: string } = {},
): Promise<StreamPeer> {
  const requests: IncomingMessage[] = [];
  const server =
    options.tls === true
      ? createTlsServer({ cert: TEST_CERTIFICATE, key: TEST_KEY })
      : createServer();
  const upgrades = createUpgrades(
    server,
    (request, response) => {
      requests.push(request);
      try {
        upgrades.check(request);
        if (options.refuse !== undefined) throw new Error(options.refuse);
      } catch (error) {
        response.statusCode = 404;
        response.end((error as Error).message);
        return;
      }
      upgrades.accept(request, String(request.headers["interlink-http-session"])).then(
        (socket) => serve(socket, request),
        () => undefined,
      );
    },
    options.pingMs === undefined ? {} : { pingMs: options.pingMs },
  );
  await new Promise<void>((resolve) => {
    if (options.unixSocket === undefined) server.listen(0, "127.0.0.1", resolve);
    else server.listen(options.unixSocket, resolve);
  });
  const { port } = (
    options.unixSocket === undefined ? server.address() : { port: 0 }
  ) as AddressInfo;
  return {
    address:
      options.unixSocket === undefined
        ? `${options.tls === true ? "https" : "http"}://127.0.0.1:${port}`
        : `unix://${options.unixSocket}`,
    requests,
    async [Symbol.asyncDispose]() {
      const closed = new Promise((resolve) => server.close(resolve));
      await upgrades.close(100);
      server.closeAllConnections();
      await closed;
    },
  };
}

/** A process whose every byte a test moves. */
export class FakeProcess implements ProcessStreams {
  readonly stdin = new PassThrough();
  readonly stdout = new PassThrough();
  readonly stderr = new PassThrough();
  readonly sizes: TerminalSize[] = [];
  readonly ended: Promise<ProcessEnd>;
  end: (end: ProcessEnd) => void = () => undefined;
  readonly whenClosed: Promise<void>;
  close: () => void = () => undefined;

  constructor() {
    this.ended = new Promise((resolve) => {
      this.end = resolve;
    });
    this.whenClosed = new Promise((resolve) => {
      this.close = resolve;
    });
  }

  resize(size: TerminalSize): void {
    this.sizes.push(size);
  }

  /** Ends the outputs and tells how. */
  exit(exitCode: number): void {
    this.stdout.end();
    this.stderr.end();
    this.end({ exitCode });
  }
}

/** All of it. Unlike iteration, this leaves the other direction of a connection alone. */
export function bytesOf(stream: Readable | undefined): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    if (stream === undefined) return resolve(Buffer.alloc(0));
    stream.on("data", (chunk: Buffer) => chunks.push(chunk));
    stream.once("end", () => resolve(Buffer.concat(chunks)));
    stream.once("error", reject);
  });
}

/** Writes as a well-behaved writer does, then ends. */
export async function writeAll(stream: Writable, data: Buffer, piece = 100_000): Promise<void> {
  for (let at = 0; at < data.length; at += piece) {
    if (!stream.write(data.subarray(at, at + piece))) {
      await new Promise((resolve) => stream.once("drain", resolve));
    }
  }
  stream.end();
}
