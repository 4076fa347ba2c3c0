import { Demultiplexer, type StreamPart } from "./demultiplexer.ts";
import type { LineWindow } from "./line-window.ts";

export interface LogFormat {
  /** False for containers with a terminal, whose log has no messages. */
  multiplexed: boolean;
  /** Whether each line begins with a time. */
  timestamps: boolean;
  limitBytes?: number;
  /** Only these lines, and then so many bytes of them. */
  window?: LineWindow;
}

/** The bytes of a log as `kubectl logs` shows them, out of what the engine sends. */
export async function* logBytes(
  chunks: AsyncIterable<Uint8Array>,
  format: LogFormat,
): AsyncGenerator<Uint8Array> {
  let left = format.limitBytes ?? Number.POSITIVE_INFINITY;
  if (left <= 0) return;
  for await (const bytes of plainBytes(chunks, format)) {
    yield bytes.length <= left ? bytes : bytes.subarray(0, left);
    left -= bytes.length;
    if (left <= 0) return;
  }
}

async function* plainBytes(
  chunks: AsyncIterable<Uint8Array>,
  { multiplexed, timestamps, window }: LogFormat,
): AsyncGenerator<Uint8Array> {
  if (!multiplexed) {
    if (window === undefined) yield* chunks;
    else for await (const chunk of chunks) yield* window.push("stdout", chunk);
    return;
  }
  const demultiplexer = new Demultiplexer();
  const lines = timestamps ? new TimedLines() : undefined;
  for await (const chunk of chunks) {
    const out: Uint8Array[] = [];
    for (const part of demultiplexer.push(chunk)) {
      if (part.source === "error") throw new Error(Buffer.from(part.bytes).toString("utf8"));
      const { source } = part;
      const shown = lines === undefined ? [part.bytes] : lines.push(part);
      out.push(
        ...(window === undefined ? shown : shown.flatMap((one) => window.push(source, one))),
      );
    }
    if (out.length > 0) yield Buffer.concat(out);
  }
}

/**
 * The engine keeps a long line as several messages, and puts a time before each of them. Only the one at the beginning
 * of the line belongs there; and it always has nine digits.
 */
class TimedLines {
  readonly #inLine = { stdout: false, stderr: false };
  #message: Uint8Array[] = [];

  push(part: StreamPart): Uint8Array[] {
    if (part.source === "error") return [];
    if (part.first) this.#message = [];
    this.#message.push(part.bytes);
    if (!part.last) return [];
    const message = Buffer.concat(this.#message);
    const continues = this.#inLine[part.source];
    this.#inLine[part.source] = message.at(-1) !== 0x0a;
    const blank = message.indexOf(0x20);
    const time = blank < 0 ? undefined : fixedTime(message.subarray(0, blank).toString("latin1"));
    if (time === undefined) return [message];
    const text = message.subarray(blank + 1);
    return continues ? [text] : [Buffer.from(`${time} `), text];
  }
}

/** An RFC 3339 time with exactly nine digits of fraction; `undefined` if it is none. */
export function fixedTime(text: string): string | undefined {
  const match = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(Z|[+-]\d\d:\d\d)$/.exec(text);
  if (match === null) return undefined;
  const [, seconds = "", fraction = "", zone = ""] = match;
  return `${seconds}.${fraction.padEnd(9, "0")}${zone}`;
}
