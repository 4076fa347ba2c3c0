/**
 * The channels of `v5.channel.k8s.io` (kubelet-contract 6.5): the first byte of a binary message says whose bytes
 * follow. The same framing carries a port-forward, with its own two channels.
 */
export const STREAM_PROTOCOL = "v5.channel.k8s.io";

/** Of exec and attach. */
export const CHANNEL = { stdin: 0, stdout: 1, stderr: 2, error: 3, resize: 4 } as const;
/** Of port-forward; `data` goes both ways, `error` is text. */
export const PORT_CHANNEL = { data: 0, error: 1 } as const;

/** Not a channel: the next byte names the one that its sender has ended. */
const HALF_CLOSE = 255;

/** A larger message is a protocol violation; ours are far smaller. */
export const MAX_MESSAGE_BYTES = 1024 * 1024;
/** What we send at most at once. */
const PIECE_BYTES = 64 * 1024;

export type Frame =
  | { type: "data"; channel: number; data: Buffer }
  | { type: "half-close"; channel: number };

/** `undefined`: not a message of this protocol. The data is a view into `message`. */
export function decodeFrame(message: Buffer): Frame | undefined {
  const [first, second] = message;
  if (first === undefined) return undefined;
  if (first !== HALF_CLOSE) return { type: "data", channel: first, data: message.subarray(1) };
  if (second === undefined || message.length !== 2) return undefined;
  return { type: "half-close", channel: second };
}

/** One message with these bytes. */
export function encodeData(channel: number, data: Uint8Array | string): Buffer {
  const bytes = typeof data === "string" ? Buffer.from(data) : data;
  const message = Buffer.allocUnsafe(bytes.length + 1);
  message[0] = channel;
  message.set(bytes, 1);
  return message;
}

export function encodeHalfClose(channel: number): Buffer {
  return Buffer.of(HALF_CLOSE, channel);
}

/** The bytes in pieces of a size that keeps other channels from waiting long; none for no bytes. */
export function* piecesOf(data: Uint8Array): Generator<Uint8Array, void, undefined> {
  for (let at = 0; at < data.length; at += PIECE_BYTES) yield data.subarray(at, at + PIECE_BYTES);
}
