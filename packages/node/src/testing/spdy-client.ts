import type { Duplex } from "node:stream";
import { constants, createDeflate } from "node:zlib";
import { headerDictionary } from "../kubelet-api/spdy/dictionary.ts";
import { encodeFrame, type Frame, FrameReader } from "../kubelet-api/spdy/frames.ts";
import { encodeHeaders } from "../kubelet-api/spdy/header-block.ts";
import { HeaderInflater } from "../kubelet-api/spdy/header-compression.ts";

/** What came on one stream. */
export interface ClientStream {
  readonly id: number;
  readonly text: () => string;
  readonly bytes: () => Buffer;
  replied: boolean;
  ended: boolean;
  reset: number | undefined;
}

/** A client of SPDY/3.1 as Go's is: real zlib with the dictionary, odd ids, no flow control. */
export class SpdyClient {
  readonly streams = new Map<number, ClientStream & { parts: Buffer[] }>();
  readonly pings: number[] = [];
  goneAway = false;
  closed = false;
  readonly #socket: Duplex;
  readonly #deflate = createDeflate({ dictionary: headerDictionary() });
  readonly #inflate = new HeaderInflater(1 << 20);
  #nextId = 1;

  constructor(socket: Duplex) {
    this.#socket = socket;
    socket.on("error", () => undefined);
    socket.on("close", () => {
      this.closed = true;
      this.#deflate.destroy();
      this.#inflate.close();
    });
    void this.#read();
  }

  async open(headers: Record<string, string>, fin = false): Promise<ClientStream> {
    const id = this.#nextId;
    this.#nextId += 2;
    const parts: Buffer[] = [];
    const stream = {
      id,
      parts,
      text: () => Buffer.concat(parts).toString(),
      bytes: () => Buffer.concat(parts),
      replied: false,
      ended: false,
      reset: undefined,
    };
    this.streams.set(id, stream);
    const headerBlock = await this.deflate(
      encodeHeaders(new Map(Object.entries(headers).map(([name, value]) => [name, [value]]))),
    );
    this.send({ type: "syn-stream", streamId: id, fin, headerBlock });
    return stream;
  }

  deflate(block: Buffer): Promise<Buffer> {
    return new Promise((resolve) => {
      const parts: Buffer[] = [];
      const keep = (part: Buffer): void => void parts.push(part);
      this.#deflate.on("data", keep);
      this.#deflate.write(block);
      this.#deflate.flush(constants.Z_SYNC_FLUSH, () => {
        this.#deflate.off("data", keep);
        resolve(Buffer.concat(parts));
      });
    });
  }

  send(frame: Frame): void {
    this.#socket.write(encodeFrame(frame));
  }

  write(stream: ClientStream | undefined, bytes: Buffer | string, fin = false): void {
    if (stream === undefined) throw new Error("this stream was not opened");
    this.send({ type: "data", streamId: stream.id, fin, bytes: Buffer.from(bytes) });
  }

  end(): void {
    this.#socket.end();
  }

  destroy(): void {
    this.#socket.destroy();
  }

  async #read(): Promise<void> {
    const reader = new FrameReader(1 << 20);
    try {
      for await (const chunk of this.#socket as AsyncIterable<Buffer>)
        for (const frame of reader.read(chunk)) await this.#take(frame);
    } catch {
      // Tests look at `closed`.
    }
  }

  async #take(frame: Frame): Promise<void> {
    if (frame.type === "ping") this.pings.push(frame.id);
    if (frame.type === "go-away") this.goneAway = true;
    if (!("streamId" in frame)) return;
    const stream = this.streams.get(frame.streamId);
    if (stream === undefined) return;
    if (frame.type === "syn-reply") {
      await this.#inflate.inflate(frame.headerBlock);
      stream.replied = true;
    }
    if (frame.type === "rst-stream") stream.reset = frame.status;
    if (frame.type === "data") {
      stream.parts.push(frame.bytes);
      stream.ended ||= frame.fin;
    }
  }
}
