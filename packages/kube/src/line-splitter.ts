import { KubeError } from "./errors.ts";

const NEWLINE = 0x0a;

/**
 * Cuts a byte stream into lines. Each byte is looked at once, however the stream is cut into chunks: parts of an
 * unfinished line are kept as they came and joined once.
 */
export class LineSplitter {
  readonly #maxLineBytes: number;
  #parts: Buffer[] = [];
  #size = 0;

  constructor(maxLineBytes = 64 * 1024 * 1024) {
    this.#maxLineBytes = maxLineBytes;
  }

  /** The lines that `chunk` completes, without their line ends. Empty lines are left out. */
  push(chunk: Uint8Array): string[] {
    const bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    const lines: string[] = [];
    let from = 0;
    for (let end = bytes.indexOf(NEWLINE); end !== -1; end = bytes.indexOf(NEWLINE, from)) {
      this.#keep(bytes.subarray(from, end));
      const line = this.#take();
      if (line !== "") lines.push(line);
      from = end + 1;
    }
    if (from < bytes.length) this.#keep(bytes.subarray(from));
    return lines;
  }

  /** The last line, when the stream ended without a line end; `""` when there is none. */
  end(): string {
    return this.#take();
  }

  #keep(part: Buffer): void {
    this.#size += part.length;
    if (this.#size > this.#maxLineBytes)
      throw new KubeError(
        "other",
        `a line of the watch is longer than ${this.#maxLineBytes} bytes`,
      );
    this.#parts.push(part);
  }

  #take(): string {
    const [first] = this.#parts;
    if (first === undefined) return "";
    const line = this.#parts.length === 1 ? first : Buffer.concat(this.#parts, this.#size);
    this.#parts = [];
    this.#size = 0;
    return line.toString("utf8");
  }
}
