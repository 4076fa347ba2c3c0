/**
 * SPDY/3.1 frames as bytes (draft 3.1, section 2; as moby/spdystream speaks it). Header blocks are opaque here:
 * they are compressed over the whole connection (header-block.ts).
 */

/** What a connection that speaks SPDY wrongly is closed with. */
export class SpdyError extends Error {
  override readonly name = "SpdyError";
}

/** Why a stream is reset. */
export const RESET = {
  protocolError: 1,
  refusedStream: 3,
  cancel: 5,
} as const;

const VERSION = 3;
const TYPE = {
  synStream: 1,
  synReply: 2,
  rstStream: 3,
  settings: 4,
  ping: 6,
  goAway: 7,
  headers: 8,
};
export const FLAG_FIN = 1;
const HEAD_BYTES = 8;
const MAX_DATA_BYTES = 0xff_ffff;

export type Frame =
  | { type: "syn-stream"; streamId: number; fin: boolean; headerBlock: Buffer }
  | { type: "syn-reply"; streamId: number; fin: boolean; headerBlock: Buffer }
  | { type: "headers"; streamId: number; fin: boolean; headerBlock: Buffer }
  | { type: "rst-stream"; streamId: number; status: number }
  | { type: "ping"; id: number }
  | { type: "go-away"; lastStreamId: number }
  /** A data frame or a part of one, as it came; `fin` only with the last part. */
  | { type: "data"; streamId: number; fin: boolean; bytes: Buffer };

/**
 * Takes the bytes of a connection as they come and gives frames. Control frames are bounded by `maxControlBytes`, the
 * payload of data frames is handed on in pieces and never collected. Frames that say nothing to us (SETTINGS,
 * WINDOW_UPDATE: nobody in Kubernetes obeys either) are passed over. Throws SpdyError; then the connection is of no use.
 */
export class FrameReader {
  readonly #maxControlBytes: number;
  #pending: Buffer = Buffer.alloc(0);
  #data: { streamId: number; fin: boolean; left: number } | undefined;

  constructor(maxControlBytes: number) {
    this.#maxControlBytes = maxControlBytes;
  }

  *read(chunk: Buffer): Generator<Frame, void, undefined> {
    let bytes = this.#pending.length === 0 ? chunk : Buffer.concat([this.#pending, chunk]);
    try {
      while (bytes.length > 0) {
        if (this.#data !== undefined) {
          const { streamId, fin, left } = this.#data;
          const part = bytes.subarray(0, left);
          bytes = bytes.subarray(part.length);
          this.#data = part.length < left ? { streamId, fin, left: left - part.length } : undefined;
          yield { type: "data", streamId, fin: fin && this.#data === undefined, bytes: part };
          continue;
        }
        if (bytes.length < HEAD_BYTES) return;
        const first = bytes.readUInt32BE(0);
        const flags = bytes.readUInt8(4);
        const length = bytes.readUIntBE(5, 3);
        if (first < 0x8000_0000) {
          bytes = bytes.subarray(HEAD_BYTES);
          const fin = (flags & FLAG_FIN) !== 0;
          if (length > 0) this.#data = { streamId: first, fin, left: length };
          else yield { type: "data", streamId: first, fin, bytes: Buffer.alloc(0) };
          continue;
        }
        if (((first >>> 16) & 0x7fff) !== VERSION) throw new SpdyError("a frame is not of SPDY/3");
        if (length > this.#maxControlBytes) {
          throw new SpdyError(
            `a control frame has ${length} bytes; ${this.#maxControlBytes} are enough`,
          );
        }
        if (bytes.length < HEAD_BYTES + length) return;
        const frame = controlFrame(
          first & 0xffff,
          flags,
          bytes.subarray(HEAD_BYTES, HEAD_BYTES + length),
        );
        bytes = bytes.subarray(HEAD_BYTES + length);
        if (frame !== undefined) yield frame;
      }
    } finally {
      this.#pending = bytes;
    }
  }
}

/** Undefined: nothing that matters here. */
function controlFrame(type: number, flags: number, payload: Buffer): Frame | undefined {
  const fin = (flags & FLAG_FIN) !== 0;
  const word = (at: number): number => {
    if (payload.length < at + 4)
      throw new SpdyError(`a control frame of type ${type} is cut short`);
    return payload.readUInt32BE(at);
  };
  const streamId = (): number => word(0) & 0x7fff_ffff;
  switch (type) {
    case TYPE.synStream:
      if (payload.length < 10) throw new SpdyError("a SYN_STREAM is cut short");
      return { type: "syn-stream", streamId: streamId(), fin, headerBlock: payload.subarray(10) };
    case TYPE.synReply:
      return { type: "syn-reply", streamId: streamId(), fin, headerBlock: payload.subarray(4) };
    case TYPE.headers:
      return { type: "headers", streamId: streamId(), fin, headerBlock: payload.subarray(4) };
    case TYPE.rstStream:
      return { type: "rst-stream", streamId: streamId(), status: word(4) };
    case TYPE.ping:
      return { type: "ping", id: word(0) };
    case TYPE.goAway:
      return { type: "go-away", lastStreamId: streamId() };
    default:
      return undefined;
  }
}

/** The frame as bytes. The payload of a data frame must be shorter than 16 MiB. */
export function encodeFrame(frame: Frame): Buffer {
  if (frame.type === "go-away") return control(TYPE.goAway, false, [words(frame.lastStreamId, 0)]);
  switch (frame.type) {
    case "data":
      return Buffer.concat([dataHead(frame), frame.bytes]);
    case "syn-stream":
      // No associated stream, highest priority.
      return withHeaders(TYPE.synStream, [words(frame.streamId, 0), Buffer.alloc(2)], frame);
    case "syn-reply":
      return withHeaders(TYPE.synReply, [words(frame.streamId)], frame);
    case "headers":
      return withHeaders(TYPE.headers, [words(frame.streamId)], frame);
    case "rst-stream":
      return control(TYPE.rstStream, false, [words(frame.streamId, frame.status)]);
    case "ping":
    default:
      return control(TYPE.ping, false, [words(frame.id)]);
  }
}

/** What stands before the payload of a data frame, so that the payload need not be copied. */
export function dataHead(data: { streamId: number; fin: boolean; bytes: Uint8Array }): Buffer {
  const { streamId, fin, bytes } = data;
  if (bytes.length > MAX_DATA_BYTES) throw new RangeError("a data frame holds less than 16 MiB");
  const head = Buffer.alloc(HEAD_BYTES);
  head.writeUInt32BE(streamId);
  head.writeUInt8(fin ? FLAG_FIN : 0, 4);
  head.writeUIntBE(bytes.length, 5, 3);
  return head;
}

function withHeaders(
  type: number,
  before: Buffer[],
  { fin, headerBlock }: { fin: boolean; headerBlock: Buffer },
): Buffer {
  return control(type, fin, [...before, headerBlock]);
}

function control(type: number, fin: boolean, parts: Buffer[]): Buffer {
  const payload = Buffer.concat(parts);
  const head = Buffer.alloc(HEAD_BYTES);
  head.writeUInt16BE(0x8000 | VERSION);
  head.writeUInt16BE(type, 2);
  head.writeUInt8(fin ? FLAG_FIN : 0, 4);
  head.writeUIntBE(payload.length, 5, 3);
  return Buffer.concat([head, payload]);
}

function words(...numbers: number[]): Buffer {
  const bytes = Buffer.alloc(4 * numbers.length);
  for (const [index, number] of numbers.entries()) bytes.writeUInt32BE(number, 4 * index);
  return bytes;
}
