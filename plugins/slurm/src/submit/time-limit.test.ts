import { expect, it } from "vitest";
import { limitMinutes, limitSeconds } from "./time-limit.ts";

it.each<[string, number | undefined]>([
  ["5", 300],
  ["5:30", 330],
  ["2:00:01", 7201],
  ["1-0", 86_400],
  ["1-2:3", 93_780],
  ["1-2:3:4", 93_784],
  ["UNLIMITED", Number.POSITIVE_INFINITY],
  ["infinite", Number.POSITIVE_INFINITY],
  ["", undefined],
  ["5m", undefined],
  ["-5", undefined],
  ["1:2:3:4", undefined],
])("reads the limit %j as %s seconds", (text, seconds) => {
  expect(limitSeconds(text)).toBe(seconds);
});

it.each([
  [1, "1"],
  [60, "1"],
  [61, "2"],
  [3600, "60"],
])("gives %d seconds %s minutes", (seconds, minutes) => {
  expect(limitMinutes(seconds)).toBe(minutes);
});
