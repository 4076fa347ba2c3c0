const MAX_KEPT = 1000;

/** Tells a thing once, and again only after a while, with how often it came in between: for logs that strangers can fill. */
export class Repeats {
  private readonly told = new Map<string, { at: number; times: number }>();
  private readonly everyMs: number;
  private readonly now: () => number;

  /** `now` in milliseconds, any origin. */
  constructor(everyMs: number, now: () => number) {
    this.everyMs = everyMs;
    this.now = now;
  }

  /** How often it came untold since it was last told; `undefined` if it is not to be told now. */
  count(what: string): number | undefined {
    const at = this.now();
    const before = this.told.get(what);
    if (before !== undefined && at - before.at < this.everyMs) {
      before.times += 1;
      return undefined;
    }
    this.told.delete(what);
    const [oldest] = this.told.keys();
    if (oldest !== undefined && this.told.size >= MAX_KEPT) this.told.delete(oldest);
    this.told.set(what, { at, times: 0 });
    return before?.times ?? 0;
  }
}
