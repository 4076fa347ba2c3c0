const NEWLINE = 0x0a;

export interface LineRules {
  /** Milliseconds since the epoch: lines that began earlier are left out. */
  sinceTime?: number;
  /** Put its time in front of each line. */
  timestamps: boolean;
  /** When the byte at this offset of the log was written, milliseconds since the epoch. */
  timeAt(offset: number): number | Promise<number>;
}

/**
 * Applies rules that concern lines to a log that arrives in pieces cut anywhere; the time of a line is that of its first
 * byte. Bytes are never changed, and a line is never held back: it may be longer than memory.
 */
export class LineFilter {
  readonly #rules: LineRules;
  #atLineStart = true;
  #leavingOut = false;

  constructor(rules: LineRules) {
    this.#rules = rules;
  }

  /** What is passed on of `piece`, which lies at `offset` of the log and follows the piece before. */
  async pass(piece: Uint8Array, offset: number): Promise<Uint8Array> {
    const { sinceTime, timestamps } = this.#rules;
    if (sinceTime === undefined && !timestamps) return piece;
    const out: Uint8Array[] = [];
    for (let at = 0; at < piece.length; ) {
      if (this.#atLineStart) {
        const time = await this.#rules.timeAt(offset + at);
        this.#leavingOut = sinceTime !== undefined && time < sinceTime;
        if (timestamps && !this.#leavingOut) out.push(Buffer.from(`${logTimestamp(time)} `));
      }
      const newline = piece.indexOf(NEWLINE, at);
      const end = newline < 0 ? piece.length : newline + 1;
      if (!this.#leavingOut) out.push(piece.subarray(at, end));
      this.#atLineStart = newline >= 0;
      at = end;
    }
    return Buffer.concat(out);
  }
}

/** RFC 3339 in UTC with nine fixed fraction digits, as container runtimes write it. */
function logTimestamp(milliseconds: number): string {
  return `${new Date(milliseconds).toISOString().slice(0, -1)}000000Z`;
}
