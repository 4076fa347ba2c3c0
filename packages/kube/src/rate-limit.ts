/** A client-side limit on requests, as client-go's QPS and burst. */
export interface RateLimit {
  /** Requests per second in the long run. */
  perSecond: number;
  /** Requests that may go at once after a pause. */
  burst: number;
}

/** A token bucket that gives out reservations in order: who asks later waits longer. */
export class TokenBucket {
  readonly #limit: RateLimit;
  #tokens: number;
  #at: number;

  constructor(limit: RateLimit, nowMs: number) {
    this.#limit = limit;
    this.#tokens = limit.burst;
    this.#at = nowMs;
  }

  /** Takes one token and tells how many milliseconds to wait before using it. */
  reserve(nowMs: number): number {
    this.#refill(nowMs);
    this.#tokens -= 1;
    return this.#tokens >= 0 ? 0 : (-this.#tokens / this.#limit.perSecond) * 1000;
  }

  /** Takes one token if there is one now. */
  tryTake(nowMs: number): boolean {
    this.#refill(nowMs);
    if (this.#tokens < 1) return false;
    this.#tokens -= 1;
    return true;
  }

  #refill(nowMs: number): void {
    const seconds = Math.max(0, nowMs - this.#at) / 1000;
    this.#tokens = Math.min(this.#limit.burst, this.#tokens + seconds * this.#limit.perSecond);
    this.#at = Math.max(this.#at, nowMs);
  }
}
