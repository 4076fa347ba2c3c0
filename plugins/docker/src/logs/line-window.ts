type Source = "stdout" | "stderr";

/** Lets lines of a log through by their number, counted as they begin, whichever of the two streams they are in. */
export class LineWindow {
  readonly #first: number;
  readonly #last: number;
  readonly #inLine = { stdout: false, stderr: false };
  readonly #passing = { stdout: false, stderr: false };
  #begun = 0;

  /** From line `first` to line `last`, both counted from 1. */
  constructor(first: number, last = Number.POSITIVE_INFINITY) {
    this.#first = first;
    this.#last = last;
  }

  /** Lines so far. */
  get begun(): number {
    return this.#begun;
  }

  /** What of these bytes is let through. Bytes of one stream come in order; lines may be cut anywhere. */
  push(source: Source, bytes: Uint8Array): Uint8Array[] {
    const out: Uint8Array[] = [];
    for (let start = 0; start < bytes.length; ) {
      if (!this.#inLine[source]) {
        this.#begun++;
        this.#passing[source] = this.#begun >= this.#first && this.#begun <= this.#last;
      }
      const newline = bytes.indexOf(0x0a, start);
      const end = newline < 0 ? bytes.length : newline + 1;
      this.#inLine[source] = newline < 0;
      if (this.#passing[source]) out.push(bytes.subarray(start, end));
      start = end;
    }
    return out;
  }
}
