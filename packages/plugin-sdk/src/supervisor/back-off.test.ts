import { expect, test } from "vitest";
import type { BackOff } from "./back-off.ts";
import { goDuration, raised, waitsUntil } from "./back-off.ts";

test("the delay doubles from 10 s to 5 min", () => {
  const delays: number[] = [];
  let backOff: BackOff | undefined;
  for (let now = 0; delays.length < 8; now += 1000) {
    backOff = raised(backOff, now, now);
    delays.push(backOff.delayMs / 1000);
  }
  expect(delays).toEqual([10, 20, 40, 80, 160, 300, 300, 300]);
});

test("it starts over after more than ten minutes without trouble", () => {
  const worn = { delayMs: 300_000, updatedAt: 0 };
  expect(waitsUntil(worn, 600_000)).toBe(900_000);
  expect(waitsUntil(worn, 600_001)).toBeUndefined();
  expect(raised(worn, 600_001, 600_001).delayMs).toBe(10_000);
});

test.each([
  [0, "0s"],
  [850, "850ms"],
  [1234, "1.234s"],
  [10_000, "10s"],
  [80_000, "1m20s"],
  [300_000, "5m0s"],
  [3_600_000, "1h0m0s"],
])("%i ms is written as %s", (milliseconds, text) => {
  expect(goDuration(milliseconds)).toBe(text);
});
