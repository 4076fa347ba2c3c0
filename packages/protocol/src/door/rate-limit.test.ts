import fc from "fast-check";
import { expect, test } from "vitest";
import { RateLimit } from "./rate-limit.ts";

test("a caller may use its burst at once, then goes at its rate; others are not concerned", () => {
  let clock = 0;
  const limit = new RateLimit({ perSecond: 2, burst: 3, now: () => clock });
  expect([1, 2, 3, 4].map(() => limit.take("a"))).toEqual([0, 0, 0, 1]);
  expect(limit.take("b")).toBe(0);
  clock = 500;
  expect([limit.take("a"), limit.take("a")]).toEqual([0, 1]);
  clock = 60_000;
  expect([1, 2, 3, 4].map(() => limit.take("a"))).toEqual([0, 0, 0, 1]);
});

test("who is told to wait is let in afterwards", () => {
  let clock = 0;
  const limit = new RateLimit({ perSecond: 0.1, burst: 1, now: () => clock });
  limit.take("a");
  const seconds = limit.take("a");
  expect(seconds).toBe(10);
  clock = seconds * 1000;
  expect(limit.take("a")).toBe(0);
});

test("no caller gets more than its burst and its rate, whatever the moments", () => {
  fc.assert(
    fc.property(fc.array(fc.nat(400), { maxLength: 200 }), (pauses) => {
      let clock = 0;
      let taken = 0;
      const limit = new RateLimit({ perSecond: 5, burst: 4, now: () => clock });
      for (const pause of pauses) {
        clock += pause;
        if (limit.take("a") === 0) taken += 1;
      }
      expect(taken).toBeLessThanOrEqual(4 + (clock / 1000) * 5 + 1e-6);
    }),
  );
});

test("any number of callers takes bounded room", () => {
  const limit = new RateLimit({ perSecond: 1, burst: 1, now: () => 0 });
  limit.take("first");
  for (let index = 0; index < 10_000; index++) limit.take(`caller ${index}`);
  expect(limit.take("first")).toBe(0);
});
