import type { Clock } from "@interlink/plugin-sdk";

/** Does one thing again and again, never twice at the same time, and soon when it is woken. */
export class Loop {
  readonly #work: () => Promise<void>;
  readonly #pauseMs: () => number;
  readonly #clock: Clock;
  readonly #leastMs: number;
  #begunAt = Number.NEGATIVE_INFINITY;
  #stopped = false;
  #woken = false;
  #wake: (() => void) | undefined;
  #running: Promise<void> | undefined;

  /**
   * `work` must not throw; `pauseMs` is asked after each time. `leastMs`: from the beginning of one time to that of the
   * next, however often it is woken. Milliseconds.
   */
  constructor(clock: Clock, pauseMs: () => number, work: () => Promise<void>, leastMs = 0) {
    this.#clock = clock;
    this.#pauseMs = pauseMs;
    this.#work = work;
    this.#leastMs = leastMs;
  }

  start(): void {
    this.#running ??= this.#run();
  }

  /** The next time begins as soon as it may: now, or right after the present one. */
  wake(): void {
    // Once is enough, and hundreds of jobs wake it at the same time.
    if (this.#woken && !this.#stopped) return;
    this.#woken = true;
    this.#wake?.();
  }

  /** Resolves when the present time is over. */
  async close(): Promise<void> {
    this.#stopped = true;
    this.wake();
    await this.#running;
  }

  async #run(): Promise<void> {
    while (!this.#stopped) {
      this.#woken = false;
      this.#begunAt = this.#clock.now();
      await this.#work();
      await this.#pause();
    }
  }

  async #pause(): Promise<void> {
    const usual = this.#clock.now() + this.#pauseMs();
    const soonest = Math.min(usual, this.#begunAt + this.#leastMs);
    for (;;) {
      const due = this.#woken ? soonest : usual;
      if (this.#stopped || this.#clock.now() >= due) return;
      await new Promise<void>((resolve) => {
        const stop = this.#clock.at(due, resolve);
        this.#wake = () => {
          stop();
          resolve();
        };
      });
      this.#wake = undefined;
    }
  }
}
