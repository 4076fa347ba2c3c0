/** Most callers that are told apart; with more, the one that has been quiet longest starts anew. */
const MAX_CALLERS = 10_000;

/** Of each caller alone. */
export interface RateLimitOptions {
  /** Requests a second, on the long run. */
  perSecond: number;
  /** Requests at once after a pause. */
  burst: number;
  /** Milliseconds, any origin. */
  now: () => number;
}

/** A token bucket for each caller. */
export class RateLimit {
  private readonly buckets = new Map<string, { tokens: number; at: number }>();
  private readonly options: RateLimitOptions;

  constructor(options: RateLimitOptions) {
    this.options = options;
  }

  /** 0 if the caller may go on, else the whole seconds after which it is worth asking again. */
  take(caller: string): number {
    const { perSecond, burst, now } = this.options;
    const at = now();
    const before = this.buckets.get(caller) ?? { tokens: burst, at };
    const tokens = Math.min(burst, before.tokens + ((at - before.at) / 1000) * perSecond);
    // Moved to the end, so that the first is the one that has been quiet longest.
    this.buckets.delete(caller);
    const [quietest] = this.buckets.keys();
    if (quietest !== undefined && this.buckets.size >= MAX_CALLERS) this.buckets.delete(quietest);
    this.buckets.set(caller, { tokens: tokens >= 1 ? tokens - 1 : tokens, at });
    return tokens >= 1 ? 0 : Math.max(1, Math.ceil((1 - tokens) / perSecond));
  }
}
