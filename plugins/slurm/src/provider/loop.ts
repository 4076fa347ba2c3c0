import type { Clock } from "@interlink/plugin-sdk";

/** Does one thing again and again, never twice at the same time, and at once when it is woken. */
export class Loop {
  readonly #work: () => Promise<void>;
  readonly #pauseMs: () => number;
  readonly #clock: Clock;
  #stopped = false;
  #woken = false;
  #wake: (() => void) | undefined;
  #running: Promise<void> | undefined;

  /** `work` must not throw; `pauseMs` is asked after each time. */
  constructor(clock: Clock, pauseMs: () => number, work: () => Promise<void>) {
    this.#clock = clock;
    this.#pauseMs = pauseMs;
    this.#work = work;
  }

  start(): void {
    this.#running ??= this.#run();
  }

  /** The next time begins now, or right after the present one. */
  wake(): void {
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
      await this.#work();
      await this.#pause();
    }
  }

  async #pause(): Promise<void> {
    if (this.#woken || this.#stopped) return;
    await new Promise<void>((resolve) => {
      const stop = this.#clock.at(this.#clock.now() + this.#pauseMs(), resolve);
      this.#wake = () => {
        stop();
        resolve();
      };
    });
    this.#wake = undefined;
  }
}
