import { describe, expect, it } from "vitest";
import { Backoff, backoffMs } from "./backoff.ts";
import { TokenBucket } from "./rate-limit.ts";

const options = { firstMs: 800, capMs: 30_000, jitter: 1, resetAfterMs: 120_000 };

describe("backoffMs", () => {
  it.each([
    [1, 0, 800],
    [2, 0, 1600],
    [3, 0.5, 4800],
    [7, 0, 30_000],
    [5000, 1, 60_000],
  ])("waits after %i failures with random %d for %i ms", (failures, random, wait) => {
    expect(backoffMs(options, failures, random)).toBe(wait);
  });
});

describe("Backoff", () => {
  it("starts over after a long time without a failure, or when told", () => {
    const backoff = new Backoff(options, () => 0);
    expect([backoff.next(0), backoff.next(1000), backoff.next(121_000)]).toEqual([800, 1600, 3200]);
    expect(backoff.next(241_001)).toBe(800);
    backoff.next(241_002);
    backoff.reset();
    expect([backoff.failures, backoff.next(241_003)]).toEqual([0, 800]);
  });
});

describe("TokenBucket", () => {
  it("lets a burst through, then one at a time", () => {
    const bucket = new TokenBucket({ perSecond: 10, burst: 2 }, 0);
    expect([0, 0, 0, 0].map((now) => bucket.reserve(now))).toEqual([0, 0, 100, 200]);
    expect(bucket.reserve(1000)).toBe(0);
  });

  it("refuses rather than waits when only tried", () => {
    const bucket = new TokenBucket({ perSecond: 1, burst: 1 }, 0);
    expect([bucket.tryTake(0), bucket.tryTake(500), bucket.tryTake(1000)]).toEqual([
      true,
      false,
      true,
    ]);
  });
});
