import { setMaxListeners } from "node:events";

/** Everything that must be stopped, in reverse order of its making, once. */
export class Closing {
  readonly #stop = new AbortController();
  readonly #steps: (() => PromiseLike<unknown>)[] = [];
  readonly #loops: Promise<void>[] = [];
  readonly signal: AbortSignal = this.#stop.signal;
  readonly #detach: () => void;
  #closed: Promise<void> | undefined;

  /** `outer` counts until `started`. */
  constructor(outer: AbortSignal | undefined) {
    setMaxListeners(0, this.#stop.signal);
    const abort = () => this.#stop.abort(outer?.reason);
    if (outer?.aborted) abort();
    outer?.addEventListener("abort", abort, { once: true });
    this.#detach = () => outer?.removeEventListener("abort", abort);
  }

  /** From now on only `close` ends it. */
  started(): void {
    this.#detach();
  }

  /** To be called at the end, before what was named earlier. */
  last(step: () => PromiseLike<unknown>): void {
    this.#steps.push(step);
  }

  /** A loop that ends with the signal; nothing is closed under it. */
  runs(loop: Promise<void>): void {
    this.#loops.push(loop);
  }

  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    this.#detach();
    this.#stop.abort(new Error("the virtual node is closed"));
    await Promise.allSettled(this.#loops);
    const failures: unknown[] = [];
    for (const step of this.#steps.toReversed()) {
      try {
        await step();
      } catch (error) {
        failures.push(error);
      }
    }
    if (failures.length > 0) throw failures[0];
  }
}

/** The promise, or the signal's reason when that fires first. */
export async function aborting<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  let stop: () => void = () => undefined;
  const aborted = new Promise<never>((_, reject) => {
    stop = () => reject(signal.reason instanceof Error ? signal.reason : new Error("aborted"));
    if (signal.aborted) stop();
    signal.addEventListener("abort", stop, { once: true });
  });
  try {
    return await Promise.race([promise, aborted]);
  } finally {
    signal.removeEventListener("abort", stop);
  }
}
