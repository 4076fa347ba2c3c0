import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { distribution, percentile } from "./percentile.ts";

const oneToHundred = Array.from({ length: 100 }, (_, index) => 100 - index);

describe("a percentile", () => {
  test.each([
    [[7], 0, 7],
    [[7], 50, 7],
    [[7], 100, 7],
    [[1, 2], 50, 1],
    [[1, 2], 51, 2],
    [[10, 9, 2], 50, 9],
    [oneToHundred, 1, 1],
    [oneToHundred, 50, 50],
    [oneToHundred, 99, 99],
    [oneToHundred, 99.5, 100],
  ])("of %j at %d is %d", (values, percent, expected) => {
    expect(percentile(values, percent)).toBe(expected);
  });

  test("has that share of the values at or below it, and would not with a smaller value", () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer(), { minLength: 1 }),
        fc.integer({ min: 1, max: 100 }),
        (values, percent) => {
          const found = percentile(values, percent);
          expect(values).toContain(found);
          const share = (count: number) => (100 * count) / values.length;
          expect(share(values.filter((one) => one <= found).length)).toBeGreaterThanOrEqual(
            percent,
          );
          expect(share(values.filter((one) => one < found).length)).toBeLessThan(percent);
        },
      ),
    );
  });

  test("leaves the values as they are", () => {
    const values = [3, 1, 2];
    percentile(values, 50);
    expect(values).toEqual([3, 1, 2]);
  });

  test.each([
    [[], 50],
    [[1], -1],
    [[1], 101],
    [[1], Number.NaN],
  ])("of %j at %d is an error", (values, percent) => {
    expect(() => percentile(values, percent)).toThrow(RangeError);
  });
});

test("a distribution tells count, extremes, median and 99th percentile", () => {
  expect(distribution(oneToHundred)).toEqual({ count: 100, min: 1, p50: 50, p99: 99, max: 100 });
});
