import { constants, createInflate, type Inflate } from "node:zlib";
import { DICTIONARY_ID, headerDictionary } from "./dictionary.ts";
import { SpdyError } from "./frames.ts";

/**
 * Inflates the header blocks of one direction of one connection: one zlib stream over all of them, so that every block
 * must pass through here, in order, one at a time. A block that grows beyond the bound ends it.
 */
export class HeaderInflater {
  readonly #inflate: Inflate;
  readonly #maxBytes: number;
  #out: Buffer[] = [];
  #size = 0;
  #failed: (error: Error) => void = () => undefined;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
    this.#inflate = createInflate({
      dictionary: headerDictionary(),
      finishFlush: constants.Z_SYNC_FLUSH,
    });
    this.#inflate.on("data", (piece: Buffer) => {
      this.#size += piece.length;
      if (this.#size <= this.#maxBytes) this.#out.push(piece);
      else this.#inflate.destroy();
    });
    this.#inflate.on("error", (error) => this.#failed(error));
    this.#inflate.on("close", () => this.#failed(new Error("it was closed")));
    // Its peer may have ended the stream, which has no end.
    this.#inflate.on("end", () => this.#failed(new Error("the header stream has ended")));
  }

  /** Rejects with SpdyError; then the connection is of no use. */
  async inflate(block: Buffer): Promise<Buffer> {
    this.#out = [];
    this.#size = 0;
    try {
      await new Promise<void>((resolve, reject) => {
        this.#failed = reject;
        this.#inflate.write(block, (error) => (error ? reject(error) : resolve()));
      });
      // What the callback overtook; `read` hands it to the listener above.
      while (this.#inflate.read() !== null);
    } catch (cause) {
      throw new SpdyError("a header block cannot be inflated", { cause });
    } finally {
      this.#failed = () => undefined;
    }
    if (this.#size > this.#maxBytes) {
      throw new SpdyError(`a header block is larger than ${this.#maxBytes} bytes`);
    }
    return Buffer.concat(this.#out, this.#size);
  }

  close(): void {
    this.#inflate.destroy();
  }
}

/**
 * Writes the header blocks of the other direction. What a server says in headers is a few bytes, so that nothing is
 * compressed: each block is a stored block of the same zlib stream, and an empty one after it, as a flush writes it
 * (RFC 1951, 3.2.4). Blocks must be shorter than 64 KiB.
 */
export class HeaderStorer {
  #begun = false;

  store(block: Buffer): Buffer {
    const head = Buffer.alloc(this.#begun ? 5 : 11);
    if (!this.#begun) {
      // Deflate with a window of 32 KiB and a preset dictionary (RFC 1950).
      head.writeUInt16BE(0x78bb);
      head.writeUInt32BE(DICTIONARY_ID, 2);
      this.#begun = true;
    }
    head.writeUInt16LE(block.length, head.length - 4);
    head.writeUInt16LE(~block.length & 0xffff, head.length - 2);
    return Buffer.concat([head, block, Buffer.from([0, 0, 0, 0xff, 0xff])]);
  }
}
