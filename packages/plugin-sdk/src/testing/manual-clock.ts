import type { Clock } from "../supervisor/clock.ts";

/** Time that stands still until a test moves it. */
export class ManualClock implements Clock {
  #now: number;
  #timers: { at: number; callback: () => void }[] = [];

  constructor(now = Date.UTC(2026, 0, 1)) {
    this.#now = now;
  }

  now(): number {
    return this.#now;
  }

  at(at: number, callback: () => void): () => void {
    const timer = { at, callback };
    this.#timers.push(timer);
    return () => {
      this.#timers = this.#timers.filter((other) => other !== timer);
    };
  }

  /** When the next timer fires, if any. */
  get next(): number | undefined {
    return this.#timers.reduce<number | undefined>(
      (least, { at }) => (least === undefined || at < least ? at : least),
      undefined,
    );
  }

  /** Move to `time` and fire, in order, what is due. */
  moveTo(time: number): void {
    for (;;) {
      const due = this.#timers
        .filter(({ at }) => at <= time)
        .sort((a, b) => a.at - b.at)
        .at(0);
      if (due === undefined) break;
      this.#timers = this.#timers.filter((other) => other !== due);
      this.#now = Math.max(this.#now, due.at);
      due.callback();
    }
    this.#now = Math.max(this.#now, time);
  }

  /** The wall clock is set back; timers under way fire after the time that was left, as real ones do. */
  setBack(milliseconds: number): void {
    this.#now -= milliseconds;
    for (const timer of this.#timers) timer.at -= milliseconds;
  }

  advance(milliseconds: number): void {
    this.moveTo(this.#now + milliseconds);
  }
}
