import { Duplex } from "node:stream";
import { encodeFrame, RESET } from "./frames.ts";
import type { StreamHeaders } from "./header-block.ts";

/** What a stream needs of its session. */
export interface StreamSession {
  /** Calls back when the socket took it, so that who writes is held back by the peer's reading. */
  writeData(
    streamId: number,
    bytes: Uint8Array,
    fin: boolean,
    done: (error?: Error | null) => void,
  ): void;
  write(frame: Buffer): void;
  forget(streamId: number): void;
}

/**
 * One stream of a session: reading ends with the peer's FIN, `end()` sends ours, destroying it before both resets it. A
 * reset by the peer ends it with the error `ECONNRESET`.
 */
export class SpdyStream extends Duplex {
  readonly id: number;
  readonly headers: StreamHeaders;
  readonly #session: StreamSession;
  #wanted: (() => void) | undefined;
  #resetByPeer = false;
  #heardAll = false;

  constructor(id: number, headers: StreamHeaders, session: StreamSession, bufferBytes: number) {
    super({ allowHalfOpen: true, readableHighWaterMark: bufferBytes });
    this.id = id;
    this.headers = headers;
    this.#session = session;
    // A connection that breaks is told to the session's owner; a stream that nobody listens to must not end the process.
    this.on("error", () => undefined);
  }

  /** The first value of a header, or "". */
  header(name: string): string {
    return this.headers.get(name)?.[0] ?? "";
  }

  /** Takes what the peer sent; resolves when there is room for more. */
  async receive(bytes: Buffer, fin: boolean): Promise<void> {
    // After its FIN a peer has nothing to say, and what comes for a stream that we gave up is of no use.
    if (this.#heardAll || this.destroyed) return;
    const full = bytes.length > 0 && !this.push(bytes);
    if (fin) {
      this.#heardAll = true;
      this.push(null);
    } else if (full) {
      await new Promise<void>((resolve) => {
        this.#wanted = resolve;
      });
    }
  }

  resetByPeer(): void {
    this.#resetByPeer = true;
    this.destroy(Object.assign(new Error("the stream was reset"), { code: "ECONNRESET" }));
  }

  /** The connection is gone: nothing more is said on it. */
  lost(error: Error | null): void {
    this.#resetByPeer = true;
    this.destroy(error ?? undefined);
  }

  override _read(): void {
    this.#goOn();
  }

  override _write(chunk: Buffer, _: BufferEncoding, done: (error?: Error | null) => void): void {
    this.#session.writeData(this.id, chunk, false, done);
  }

  override _final(done: (error?: Error | null) => void): void {
    this.#session.writeData(this.id, Buffer.alloc(0), true, done);
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    const complete = this.#heardAll && this.writableFinished;
    if (!complete && !this.#resetByPeer) {
      this.#session.write(
        encodeFrame({ type: "rst-stream", streamId: this.id, status: RESET.cancel }),
      );
    }
    this.#session.forget(this.id);
    this.#goOn();
    done(error);
  }

  #goOn(): void {
    const wanted = this.#wanted;
    this.#wanted = undefined;
    wanted?.();
  }
}
