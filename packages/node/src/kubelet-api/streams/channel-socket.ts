import { Readable, Writable } from "node:stream";
import type { WebSocket } from "ws";
import type { WebSocketProtocol } from "./protocols.ts";

/** Names a channel that is ended (v5.channel.k8s.io). */
const CLOSE_SIGNAL = 255;
const BASE64_ZERO = "0".charCodeAt(0);
/** Clients measure whether we live by our pongs, which we do not send while we do not read. */
const PONG_MS = 5000;

/**
 * The channels of a WebSocket (apimachinery wsstream): each message begins with the channel's number. A channel that is
 * not read holds the whole socket back. Nothing is read before `start`; messages for channels that nobody asked for
 * are dropped.
 */
export class ChannelSocket {
  /** Never rejects. */
  readonly closed: Promise<void>;
  readonly #socket: WebSocket;
  readonly #protocol: WebSocketProtocol;
  readonly #readers = new Map<number, Readable>();
  /** Channels that are full. */
  readonly #full = new Set<number>();
  #pongs: NodeJS.Timeout | undefined;

  /** Synchronously after the opening, or the first messages are lost. */
  constructor(socket: WebSocket, protocol: WebSocketProtocol) {
    this.#socket = socket;
    this.#protocol = protocol;
    socket.pause();
    socket.on("error", () => socket.terminate());
    socket.on("message", (message) => this.#take(message as Buffer));
    this.closed = new Promise((resolve) => {
      socket.once("close", () => {
        clearInterval(this.#pongs);
        for (const reader of this.#readers.values()) reader.destroy();
        resolve();
      });
    });
  }

  reader(channel: number): Readable {
    const reader = new Readable({
      read: () => {
        if (this.#full.delete(channel) && this.#full.size === 0) this.#socket.resume();
      },
      destroy: (error, done) => {
        if (this.#full.delete(channel) && this.#full.size === 0) this.#socket.resume();
        done(error);
      },
    });
    reader.on("error", () => undefined);
    this.#readers.set(channel, reader);
    return reader;
  }

  writer(channel: number): Writable {
    const writer = new Writable({
      write: (chunk: Buffer, _encoding, done) => this.#send(channel, chunk, done),
    });
    writer.on("error", () => undefined);
    return writer;
  }

  /** Begins to read. */
  start(): void {
    this.#socket.resume();
    this.#pongs = setInterval(() => {
      if (this.#full.size > 0 && this.#socket.readyState === this.#socket.OPEN) this.#socket.pong();
    }, PONG_MS);
  }

  /** One message. Resolves when it has left, or the client has. */
  send(channel: number, bytes: Uint8Array): Promise<void> {
    return new Promise((resolve) => this.#send(channel, bytes, () => resolve()));
  }

  /** In good order, after what was sent. */
  async close(code = 1000, reason = ""): Promise<void> {
    // The answer to it comes after whatever is still unread.
    for (const reader of this.#readers.values()) reader.destroy();
    this.#socket.resume();
    this.#socket.close(code, reason);
    await this.closed;
  }

  destroy(): void {
    this.#socket.terminate();
  }

  #send(channel: number, bytes: Uint8Array, done: (error?: Error | null) => void): void {
    if (this.#protocol.base64) {
      const text = Buffer.from(bytes).toString("base64");
      this.#socket.send(`${String.fromCharCode(BASE64_ZERO + channel)}${text}`, done);
      return;
    }
    const message = Buffer.allocUnsafe(bytes.length + 1);
    message[0] = channel;
    message.set(bytes, 1);
    this.#socket.send(message, { binary: true }, done);
  }

  #take(message: Buffer): void {
    const first = message[0];
    if (first === undefined) return;
    const { base64, halfClose } = this.#protocol;
    if (halfClose && first === CLOSE_SIGNAL) {
      this.#end(message[1]);
      return;
    }
    const channel = base64 ? first - BASE64_ZERO : first;
    const bytes = base64
      ? Buffer.from(message.toString("latin1", 1), "base64")
      : message.subarray(1);
    const reader = this.#readers.get(channel);
    if (reader === undefined || reader.destroyed || reader.readableEnded) return;
    if (bytes.length > 0 && !reader.push(bytes)) {
      this.#full.add(channel);
      this.#socket.pause();
    }
  }

  #end(channel: number | undefined): void {
    const reader = channel === undefined ? undefined : this.#readers.get(channel);
    if (channel === undefined || reader === undefined) return;
    this.#readers.delete(channel);
    reader.push(null);
  }
}
