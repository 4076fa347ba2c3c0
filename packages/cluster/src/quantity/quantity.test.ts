import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { canonicalQuantity, formatQuantity, parseQuantity, quantityNanos } from "./quantity.ts";

describe("quantity", () => {
  it.each([
    ["0.5", "500m"],
    ["1", "1"],
    ["1000m", "1"],
    ["1500m", "1500m"],
    ["1024Mi", "1Gi"],
    ["1.5Gi", "1536Mi"],
    ["100Ki", "100Ki"],
    ["1e3", "1e3"],
    ["1000", "1k"],
    ["0", "0"],
    ["-1", "-1"],
    ["0.1m", "100u"],
  ])("%s is written as %s", (text, canonical) => {
    expect(canonicalQuantity(text)).toBe(canonical);
  });

  it.each(["", "x", "1x", "1 Gi", "1.2.3", "Gi", "--1", "1e9999"])("%j is none", (text) => {
    expect(parseQuantity(text)).toBeUndefined();
  });

  it("keeps its value when it is written", () => {
    const suffix = fc.constantFrom("", "m", "k", "M", "G", "Ki", "Mi", "Gi", "e3");
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 10 ** 6 }), suffix, (number, unit) => {
        const quantity = parseQuantity(`${number}${unit}`);
        expect(quantity).toBeDefined();
        if (quantity) expect(quantityNanos(formatQuantity(quantity))).toBe(quantity.nanos);
      }),
    );
  });
});
