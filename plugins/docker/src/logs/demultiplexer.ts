/** A piece of one message of the engine's multiplexed stream (containers without a terminal). */
export interface StreamPart {
  source: "stdout" | "stderr" | "error";
  /** Whether a message begins with it, and whether it ends with it. */
  first: boolean;
  last: boolean;
  bytes: Uint8Array;
}

const HEADER_SIZE = 8;

/**
 * Takes the engine's stream apart. Each message is a header (source, three zeros, length big-endian) and that many
 * bytes; chunks may be cut anywhere.
 */
export class Demultiplexer {
  #header = Buffer.alloc(0);
  #left = 0;
  #source: StreamPart["source"] = "stdout";
  #first = false;

  push(chunk: Uint8Array): StreamPart[] {
    const parts: StreamPart[] = [];
    let rest = chunk;
    while (rest.length > 0) {
      if (this.#left > 0) {
        const bytes = rest.subarray(0, this.#left);
        this.#left -= bytes.length;
        parts.push({ source: this.#source, first: this.#first, last: this.#left === 0, bytes });
        this.#first = false;
        rest = rest.subarray(bytes.length);
        continue;
      }
      const missing = HEADER_SIZE - this.#header.length;
      this.#header = Buffer.concat([this.#header, rest.subarray(0, missing)]);
      rest = rest.subarray(missing);
      if (this.#header.length === HEADER_SIZE) this.#begin();
    }
    return parts;
  }

  #begin(): void {
    const source = sourceOf(this.#header[0]);
    if (source === undefined) {
      throw new Error("The engine's stream is not made of messages (is the container's tty on?).");
    }
    this.#source = source;
    this.#left = this.#header.readUInt32BE(4);
    this.#first = true;
    this.#header = Buffer.alloc(0);
  }
}

function sourceOf(code: number | undefined): StreamPart["source"] | undefined {
  if (code === 0 || code === 1) return "stdout";
  if (code === 2) return "stderr";
  // Something failed in the engine while it was sending.
  if (code === 3) return "error";
  return undefined;
}
