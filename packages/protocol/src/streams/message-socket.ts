import type { WebSocket } from "ws";
import { encodeData, MAX_MESSAGE_BYTES, piecesOf } from "./frame.ts";

/** How both sides open their WebSockets. */
export const SOCKET_OPTIONS = {
  perMessageDeflate: false,
  maxPayload: MAX_MESSAGE_BYTES,
  // The longest timer there is: a peer that died is noticed by its pings, and one that reads slowly must not be cut.
  closeTimeout: 2 ** 31 - 1,
} as const;

/** How often each side pings. */
const PING_MS = 20_000;
/** So many pings after which a peer that was never heard is dead. */
const SILENT_PINGS = 3;
const NORMAL = 1000;
/** Codes of a WebSocket's end that nobody sent: it broke. */
const NEVER_SENT: ReadonlySet<number> = new Set([1005, 1006, 1015]);
const MAX_REASON_BYTES = 123;

/** How a socket ended. */
export interface SocketEnd {
  /** A WebSocket close code; 1006: the connection broke. */
  code: number;
  reason: string;
  /** It ended with a close frame. */
  clean: boolean;
}

/**
 * A WebSocket for binary messages that holds back who writes faster than the other side reads, and that notices a peer
 * that has died. It is held when it is made: `listen` begins the reading.
 *
 * Both sides ping. A side that is held does not read, so it cannot answer pings, but its own still arrive: who hears
 * nothing at all three times over, while itself reading, has lost its peer.
 */
export class MessageSocket {
  /** Never rejects. */
  readonly closed: Promise<SocketEnd>;
  readonly #socket: WebSocket;
  readonly #pings: NodeJS.Timeout;
  #silent = 0;
  #isHeld = true;
  #failure: string | undefined;
  #ending = false;

  /** Synchronously after the opening, or the first messages are lost. */
  constructor(socket: WebSocket, pingMs = PING_MS) {
    this.#socket = socket;
    socket.pause();
    const heard = (): void => {
      this.#silent = 0;
    };
    socket.on("ping", heard);
    socket.on("pong", heard);
    socket.on("error", (error: Error) => {
      this.#failure ??= error.message;
    });
    this.#pings = setInterval(() => this.#ping(), pingMs);
    this.closed = new Promise((resolve) => {
      socket.once("close", (code, reason) => {
        clearInterval(this.#pings);
        const words = reason.toString("utf8");
        resolve({
          code,
          reason: words === "" ? (this.#failure ?? "") : words,
          clean: this.#failure === undefined && !NEVER_SENT.has(code),
        });
      });
    });
  }

  /** Once. The messages come until the socket is held, and a few more that were already here. */
  listen(listener: (message: Buffer) => void): void {
    this.#socket.on("message", (data, isBinary) => {
      this.#silent = 0;
      if (this.#ending) return;
      if (isBinary) listener(data as Buffer);
      else this.close(1003, "only binary messages are understood");
    });
    this.release();
  }

  /** Stop reading, so that the sender has to wait. */
  hold(): void {
    if (this.#isHeld || this.#ending) return;
    this.#isHeld = true;
    this.#socket.pause();
  }

  release(): void {
    if (!this.#isHeld) return;
    this.#isHeld = false;
    this.#silent = 0;
    this.#socket.resume();
  }

  /** Like `closed`, at once. */
  onClosed(listener: (end: SocketEnd) => void): void {
    void this.closed.then(listener);
  }

  /** A sign of life. */
  onPing(listener: () => void): void {
    this.#socket.on("ping", listener);
  }

  /** `sent` when it has left this process, or with the reason why it never will. */
  send(message: Uint8Array, sent?: (error?: Error) => void): void {
    this.#socket.send(message, { binary: true }, (error) => sent?.(error ?? undefined));
  }

  /**
   * After what was sent. Nothing is received any more. A peer that reads slowly may take its time, unless `graceMs`
   * says how long it has.
   */
  close(code = NORMAL, reason = "", graceMs?: number): void {
    if (graceMs !== undefined) this.#destroyAfter(graceMs);
    if (this.#ending) return;
    this.#ending = true;
    this.release();
    this.#socket.close(code, fitting(reason));
  }

  /** At once. */
  destroy(): void {
    this.#socket.terminate();
  }

  #destroyAfter(ms: number): void {
    const timer = setTimeout(() => this.destroy(), ms);
    this.onClosed(() => clearTimeout(timer));
  }

  #ping(): void {
    if (!this.#isHeld && ++this.#silent > SILENT_PINGS) {
      this.#failure ??= "the peer has fallen silent";
      this.destroy();
      return;
    }
    this.#socket.ping();
  }
}

/**
 * Sends bytes on a channel, in pieces: the next is made when the last has left this process, so nothing piles up.
 * `done` is called once, with an error if the socket has gone.
 */
export function sendBytes(
  socket: MessageSocket,
  channel: number,
  data: Uint8Array,
  done: (error?: Error) => void,
): void {
  const pieces = piecesOf(data);
  const next = (error?: Error): void => {
    const piece = error === undefined ? pieces.next() : undefined;
    if (piece === undefined || piece.done === true) done(error);
    else socket.send(encodeData(channel, piece.value), next);
  };
  next();
}

/** As much of it as a close frame takes. */
function fitting(reason: string): string {
  let words = reason;
  while (Buffer.byteLength(words) > MAX_REASON_BYTES) words = words.slice(0, -1);
  return words;
}
