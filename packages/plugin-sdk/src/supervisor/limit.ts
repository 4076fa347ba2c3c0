import { setMaxListeners } from "node:events";

/** Lets so many tasks run at a time; the others wait in order of arrival. */
export class Limit {
  #free: number;
  /** In order of arrival; called when their turn has come. */
  readonly #waiting = new Set<() => void>();

  constructor(size: number) {
    this.#free = Math.max(1, size);
  }

  /** Throws the signal's reason as soon as it fires before its turn. */
  async run<T>(signal: AbortSignal, task: () => Promise<T>): Promise<T> {
    signal.throwIfAborted();
    if (this.#free > 0) this.#free--;
    else await this.#turn(signal);
    try {
      return await task();
    } finally {
      const [next] = this.#waiting;
      if (next === undefined) this.#free++;
      else next();
    }
  }

  #turn(signal: AbortSignal): Promise<void> {
    // Any number may wait under one signal; each takes its listener off again.
    setMaxListeners(0, signal);
    return new Promise((resolve, reject) => {
      const leave = (): void => {
        this.#waiting.delete(go);
        signal.removeEventListener("abort", giveUp);
      };
      const go = (): void => {
        leave();
        resolve();
      };
      const giveUp = (): void => {
        leave();
        reject(signal.reason as Error);
      };
      this.#waiting.add(go);
      signal.addEventListener("abort", giveUp);
    });
  }
}
