interface Entry<T> {
  startedAt: number;
  answer: Promise<T>;
  settled: boolean;
}

/**
 * Answers that may be shared: a reader gets one whose question was asked at or after `notBefore`. Many readers of one
 * key thus cost one question at a time, and none gets an answer older than its pod. Nothing is kept for longer than
 * `keepMs`.
 */
export class SharedReads<T> {
  readonly #entries = new Map<string, Entry<T>>();
  readonly #now: () => number;
  readonly #keepMs: number;

  constructor(now: () => number, keepMs = 5000) {
    this.#now = now;
    this.#keepMs = keepMs;
  }

  /** `notBefore` is a time of the same clock. Rejects as `ask` does; failures are not kept. */
  async read(key: string, notBefore: number, ask: () => Promise<T>): Promise<T> {
    for (;;) {
      this.#prune();
      const entry = this.#entries.get(key);
      if (entry && entry.startedAt >= notBefore) return entry.answer;
      if (!entry || entry.settled) return this.#ask(key, ask);
      // Too old for us but still under way: the first of those who wait for it asks anew, for all of them.
      await entry.answer.catch(() => undefined);
    }
  }

  #ask(key: string, ask: () => Promise<T>): Promise<T> {
    const entry: Entry<T> = { startedAt: this.#now(), answer: ask(), settled: false };
    this.#entries.set(key, entry);
    const settled = (kept: boolean): void => {
      entry.settled = true;
      if (!kept && this.#entries.get(key) === entry) this.#entries.delete(key);
    };
    void entry.answer.then(
      () => settled(true),
      () => settled(false),
    );
    return entry.answer;
  }

  #prune(): void {
    const oldest = this.#now() - this.#keepMs;
    for (const [key, entry] of this.#entries) {
      if (entry.settled && entry.startedAt < oldest) this.#entries.delete(key);
    }
  }
}
