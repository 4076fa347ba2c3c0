import { expect, test } from "vitest";
import { defined } from "../testing/defined.ts";
import { ceilDivide, parseQuantity } from "./quantity.ts";

test.each([
  ["100m", "1", "1"],
  ["1500m", "1", "2"],
  ["1500m", "1m", "1500"],
  ["1.5Gi", "1Mi", "1536"],
  ["1.5Gi", "1", "1610612736"],
  ["1e3", "1", "1000"],
  ["12E2", "1", "1200"],
  ["2E", "1P", "2000"],
  ["1G", "1Gi", "1"],
  ["0", "1", "0"],
  ["1n", "1", "1"],
  ["250u", "1m", "1"],
  ["0.1", "100m", "1"],
  ["9007199254740993", "1", "9007199254740993"],
])("%s in units of %s is %s", (amount, divisor, expected) => {
  expect(String(ceilDivide(defined(parseQuantity(amount)), defined(parseQuantity(divisor))))).toBe(
    expected,
  );
});

test.each(["", "x", "-1", "1x", "1 Gi", "1e", "m", ".5", "1e999"])("%j is no quantity", (text) => {
  expect(parseQuantity(text)).toBeUndefined();
});
