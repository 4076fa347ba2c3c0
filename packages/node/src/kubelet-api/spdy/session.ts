import type { Duplex } from "node:stream";
import { dataHead, encodeFrame, type Frame, FrameReader, RESET, SpdyError } from "./frames.ts";
import { decodeHeaders, encodeHeaders, type StreamHeaders } from "./header-block.ts";
import { HeaderInflater, HeaderStorer } from "./header-compression.ts";
import { SpdyStream } from "./stream.ts";

export interface SpdySessionOptions {
  /** A connection on which SPDY/3.1 was agreed. The session owns it from now on. */
  socket: Duplex;
  /** Whether the client may have this stream; called with its headers. */
  admit: (headers: StreamHeaders) => boolean;
  /** Each stream that was admitted, in order. */
  opened: (stream: SpdyStream) => void;
  /** More at once are refused. */
  maxStreams: number;
  /** How much is kept of one stream that is not read before the whole connection is held back. Default 64 KiB. */
  streamBufferBytes?: number;
  /** How long the client may take to leave after `close`, milliseconds. Default 10 s. */
  lingerMs?: number;
}

const MAX_CONTROL_BYTES = 64 * 1024;
const MAX_HEADER_BYTES = 64 * 1024;
const MAX_DATA_FRAME_BYTES = 1024 * 1024;
const MAX_UNREAD_BYTES = 1024 * 1024;

/**
 * The server's end of a SPDY/3.1 connection, as Kubernetes' clients use it: they open the streams, and nobody has
 * flow-control windows, so that TCP holds back who writes too fast (a stream that is not read stops them all). What
 * breaks the protocol closes the connection; nothing is thrown at who uses it.
 *
 * open → closing (`close`: GOAWAY and FIN are sent, what still comes is read and dropped) → closed.
 */
export class SpdySession {
  /** Settles when the connection is gone and every stream of it with it. Undefined: it ended in good order. */
  readonly closed: Promise<Error | undefined>;
  readonly #options: Required<SpdySessionOptions>;
  readonly #streams = new Map<number, SpdyStream>();
  readonly #inflater = new HeaderInflater(MAX_HEADER_BYTES);
  readonly #storer = new HeaderStorer();
  #lastStreamId = 0;
  #closing = false;
  #linger: NodeJS.Timeout | undefined;

  constructor(options: SpdySessionOptions) {
    this.#options = { streamBufferBytes: 64 * 1024, lingerMs: 10_000, ...options };
    const { socket } = this.#options;
    this.closed = new Promise((resolve) => {
      let problem: Error | undefined;
      socket.on("error", (error: Error) => {
        problem = error;
      });
      const gone = (): void => {
        clearTimeout(this.#linger);
        this.#inflater.close();
        for (const stream of this.#streams.values()) stream.lost(problem ?? null);
        resolve(problem);
      };
      if (socket.closed) gone();
      else socket.once("close", gone);
    });
    this.#read().catch((error: unknown) => {
      socket.destroy(error instanceof Error ? error : new SpdyError(String(error)));
    });
  }

  /** Says goodbye after all that was written, and gives the client time to read it. */
  async close(): Promise<void> {
    const { socket, lingerMs } = this.#options;
    if (!this.#closing) {
      this.#closing = true;
      this.#write(encodeFrame({ type: "go-away", lastStreamId: this.#lastStreamId }));
      socket.end();
      // What is still unread would turn the end into a reset, and the client would lose what it has not read.
      for (const stream of this.#streams.values()) stream.resume();
      this.#linger = setTimeout(() => socket.destroy(), lingerMs);
    }
    await this.closed;
  }

  /** Cuts the connection. */
  destroy(error?: Error): void {
    this.#options.socket.destroy(error);
  }

  async #read(): Promise<void> {
    const { socket } = this.#options;
    const reader = new FrameReader(MAX_CONTROL_BYTES);
    // Left to us to destroy, with the error that tells why.
    const chunks = socket.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>;
    for await (const chunk of chunks) {
      for (const frame of reader.read(chunk)) await this.#take(frame);
    }
    // Clients leave by closing; one that only stopped writing could say nothing more to a process either.
    socket.destroy();
  }

  async #take(frame: Frame): Promise<void> {
    switch (frame.type) {
      case "syn-stream":
        return this.#open(frame.streamId, frame.fin, frame.headerBlock);
      case "data":
        return this.#closing
          ? undefined
          : this.#streams.get(frame.streamId)?.receive(frame.bytes, frame.fin);
      case "headers":
      case "syn-reply":
        // Of no use here, but a part of the one compressed stream.
        await this.#inflater.inflate(frame.headerBlock);
        return this.#streams.get(frame.streamId)?.receive(Buffer.alloc(0), frame.fin);
      case "rst-stream":
        this.#streams.get(frame.streamId)?.resetByPeer();
        return;
      case "ping":
        // Clients count odd; an even one would be the answer to a ping of ours, and we send none.
        if (frame.id % 2 === 1) this.#write(encodeFrame(frame));
        return this.#answersRead();
      case "go-away":
        return;
    }
  }

  async #open(streamId: number, fin: boolean, headerBlock: Buffer): Promise<void> {
    const headers = decodeHeaders(await this.#inflater.inflate(headerBlock));
    const { admit, opened, maxStreams, streamBufferBytes } = this.#options;
    if (streamId % 2 !== 1 || streamId <= this.#lastStreamId) {
      throw new SpdyError(`a client cannot open stream ${streamId} now`);
    }
    this.#lastStreamId = streamId;
    if (this.#closing || this.#streams.size >= maxStreams || !admit(headers)) {
      this.#write(encodeFrame({ type: "rst-stream", streamId, status: RESET.refusedStream }));
      return this.#answersRead();
    }
    const stream = new SpdyStream(
      streamId,
      headers,
      {
        write: (frame) => this.#write(frame),
        writeData: (id, bytes, last, done) => this.#writeData(id, bytes, last, done),
        forget: (id) => void this.#streams.delete(id),
      },
      streamBufferBytes,
    );
    this.#streams.set(streamId, stream);
    // Before anything else on it: clients drop what comes on a stream without a reply.
    const block = this.#storer.store(encodeHeaders(new Map()));
    this.#write(encodeFrame({ type: "syn-reply", streamId, fin: false, headerBlock: block }));
    opened(stream);
    if (fin) await stream.receive(Buffer.alloc(0), true);
  }

  /** Waits while a client that asks and does not read has too many answers to come. */
  async #answersRead(): Promise<void> {
    const { socket } = this.#options;
    if (socket.writableLength <= MAX_UNREAD_BYTES || !socket.writable) return;
    await new Promise<void>((resolve) => {
      const go = (): void => {
        socket.off("drain", go).off("close", go);
        resolve();
      };
      socket.on("drain", go).on("close", go);
    });
  }

  #write(frame: Buffer): void {
    const { socket } = this.#options;
    if (socket.writable) socket.write(frame);
  }

  #writeData(
    streamId: number,
    bytes: Uint8Array,
    fin: boolean,
    done: (error?: Error | null) => void,
  ): void {
    const { socket } = this.#options;
    if (!socket.writable) {
      done(Object.assign(new Error("the connection is closed"), { code: "EPIPE" }));
      return;
    }
    socket.cork();
    let left = bytes;
    while (left.length > MAX_DATA_FRAME_BYTES) {
      const part = left.subarray(0, MAX_DATA_FRAME_BYTES);
      socket.write(dataHead({ streamId, fin: false, bytes: part }));
      socket.write(part);
      left = left.subarray(part.length);
    }
    const head = dataHead({ streamId, fin, bytes: left });
    if (left.length === 0) socket.write(head, done);
    else {
      socket.write(head);
      socket.write(left, done);
    }
    socket.uncork();
  }
}
