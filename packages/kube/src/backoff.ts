/** How waits grow between tries. */
export interface BackoffOptions {
  firstMs: number;
  capMs: number;
  /** A wait `w` becomes a random value between `w` and `w × (1 + jitter)`; 0 is exact. */
  jitter: number;
  /** Forget failures after this long without one; undefined: only by `reset()`. */
  resetAfterMs?: number;
}

/** The wait before try number `failures + 1`: doubling from `firstMs` up to `capMs`, then jittered. Pure. */
export function backoffMs(options: BackoffOptions, failures: number, random: number): number {
  const doublings = Math.max(0, failures - 1);
  // 2 ** 1024 is Infinity, which min() still caps.
  const wait = Math.min(options.capMs, options.firstMs * 2 ** doublings);
  return Math.round(wait * (1 + options.jitter * random));
}

/** Counts the failures of one thing that is tried again and again. */
export class Backoff {
  readonly #options: BackoffOptions;
  readonly #random: () => number;
  #failures = 0;
  #lastFailure = 0;

  constructor(options: BackoffOptions, random: () => number = Math.random) {
    this.#options = options;
    this.#random = random;
  }

  /** Notes a failure at `nowMs` and tells how long to wait. */
  next(nowMs: number): number {
    const { resetAfterMs } = this.#options;
    if (resetAfterMs !== undefined && nowMs - this.#lastFailure > resetAfterMs) this.#failures = 0;
    this.#lastFailure = nowMs;
    this.#failures += 1;
    return backoffMs(this.#options, this.#failures, this.#random());
  }

  reset(): void {
    this.#failures = 0;
  }

  get failures(): number {
    return this.#failures;
  }
}
