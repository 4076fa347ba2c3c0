import { describe, expect, test } from "vitest";
import { showQuantity, type Unit } from "./quantity.ts";
import { table } from "./table.ts";

describe("a table", () => {
  test("has words on the left and numbers on the right", () => {
    expect(
      table([
        ["measure", "p50", "p99"],
        ["a", "1 ms", "200 ms"],
        ["longer name", "10 ms"],
      ]),
    ).toEqual(["measure        p50     p99", "a             1 ms  200 ms", "longer name  10 ms"]);
  });

  test("without rows has no lines", () => {
    expect(table([])).toEqual([]);
  });
});

test.each<[number, Unit, string]>([
  [0.1234, "s", "0.12 s"],
  [12.34, "ms", "12.3 ms"],
  [1234.5, "/s", "1235/s"],
  [1000, "", "1000"],
  [2, "x", "2x"],
  [1.5, "x", "1.50x"],
  [-3.456, "MiB", "-3.46 MiB"],
  [Number.NaN, "ms", "n/a"],
  [Number.POSITIVE_INFINITY, "x", "n/a"],
])("%d with unit %j is shown as %s", (value, unit, shown) => {
  expect(showQuantity(value, unit)).toBe(shown);
});
