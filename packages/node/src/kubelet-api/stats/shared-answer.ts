/** One question for all who ask at about the same time: while it is open, and for a while after. */
export class SharedAnswer<T> {
  readonly #ask: () => Promise<T>;
  readonly #keptMs: number;
  readonly #now: () => number;
  #open: Promise<T> | undefined;
  #last: { answer: T; untilMs: number } | undefined;

  /** `now`: milliseconds, of any clock that only goes forward. */
  constructor(ask: () => Promise<T>, keptMs: number, now: () => number) {
    this.#ask = ask;
    this.#keptMs = keptMs;
    this.#now = now;
  }

  /** Rejects with what went wrong; a failure is shared by those who wait and not kept. */
  async get(): Promise<T> {
    if (this.#last !== undefined && this.#now() < this.#last.untilMs) return this.#last.answer;
    this.#open ??= this.#ask()
      .then((answer) => {
        this.#last = { answer, untilMs: this.#now() + this.#keptMs };
        return answer;
      })
      .finally(() => {
        this.#open = undefined;
      });
    return this.#open;
  }
}
