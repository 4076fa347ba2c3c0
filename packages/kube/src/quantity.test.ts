import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { KubeError } from "./errors.ts";
import {
  addQuantities,
  canonicalQuantity,
  compareQuantities,
  formatQuantity,
  parseQuantity,
  quantityMilliValue,
  quantityValue,
  subtractQuantities,
  tryParseQuantity,
} from "./quantity.ts";

const number = fc
  .tuple(fc.constantFrom("", "-", "+"), fc.nat(), fc.option(fc.nat(999_999)))
  .map(([sign, whole, fraction]) => `${sign}${whole}${fraction === null ? "" : `.${fraction}`}`);
const suffixes = "n u m k M G T P E Ki Mi Gi Ti Pi Ei e3 E-3".split(" ");
const suffix = fc.constantFrom("", ...suffixes);
const quantityText = fc.tuple(number, suffix).map((parts) => parts.join(""));
const small = fc
  .tuple(fc.integer(), fc.constantFrom("m", "", "k", "Ki", "Mi"))
  .map((parts) => parts.join(""));

describe("quantities", () => {
  it.each([
    ["0", "0"],
    ["0Ki", "0"],
    ["-0", "0"],
    ["0.5", "500m"],
    ["100m", "100m"],
    ["1000m", "1"],
    ["1500", "1500"],
    ["1000", "1k"],
    ["1e3", "1e3"],
    ["1E3", "1e3"],
    ["12e2", "1200"],
    ["1E", "1E"],
    ["3000G", "3T"],
    [".5", "500m"],
    ["5.", "5"],
    ["1024Ki", "1Mi"],
    ["1.5Gi", "1536Mi"],
    ["1Ki", "1Ki"],
    ["1000Ki", "1000Ki"],
    ["0.5Ki", "512"],
    ["0.0001Ki", "102400u"],
    ["1025.5Ki", "1050112"],
    ["1n", "1n"],
    ["0.1n", "1n"],
    ["-1.5", "-1500m"],
    ["+2", "2"],
    ["9223372036854775808", "9223372036854775807"],
    ["100E", "9223372036854775807"],
    ["1e999999", "9223372036854775807"],
    ["1e-999999", "1e-9"],
    ["110", "110"],
    [64, "64"],
  ])("writes %s canonically as %s", (text, canonical) => {
    expect(canonicalQuantity(text)).toBe(canonical);
  });

  it.each([
    "",
    ".",
    "+",
    "1.2.3",
    "1 Gi",
    "Gi",
    "1gi",
    "1KB",
    "1e",
    "0x10",
    "1Gi ",
    "--1",
    "NaN",
    "1mi",
  ])("refuses %j", (text) => {
    expect(() => parseQuantity(text)).toThrow(KubeError);
    expect(tryParseQuantity(text)).toBeUndefined();
  });

  it("reads what it writes as the same amount, and writes it the same again", () => {
    fc.assert(
      fc.property(quantityText, (text) => {
        const quantity = parseQuantity(text);
        const written = formatQuantity(quantity);
        // A binary amount that is not whole is rounded up to whole bytes when written.
        const again = parseQuantity(written);
        const lost = again.nanos - quantity.nanos;
        expect(
          quantity.format === "binary"
            ? lost > -1_000_000_000n && lost < 1_000_000_000n
            : lost === 0n,
        ).toBe(true);
        expect(formatQuantity(again)).toBe(written);
      }),
    );
  });

  it("never takes other text for a quantity than the grammar allows, and never hangs on it", () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        const quantity = tryParseQuantity(text);
        expect(quantity === undefined || /^[+-]?[\d.]/.test(text)).toBe(true);
      }),
    );
  });

  it("adds and subtracts exactly and keeps an order that agrees", () => {
    fc.assert(
      fc.property(small, small, (first, second) => {
        const a = parseQuantity(first);
        const b = parseQuantity(second);
        expect(subtractQuantities(addQuantities(a, b), b).nanos).toBe(a.nanos);
        expect(Math.sign(compareQuantities(a, b))).toBe(-Math.sign(compareQuantities(b, a)) + 0);
        expect(compareQuantities(a, b) < 0).toBe(subtractQuantities(b, a).nanos > 0n);
      }),
    );
  });

  it("rounds away from zero to whole units and thousandths", () => {
    expect(quantityValue(parseQuantity("100m"))).toBe(1n);
    expect(quantityValue(parseQuantity("-100m"))).toBe(-1n);
    expect(quantityValue(parseQuantity("1Gi"))).toBe(1_073_741_824n);
    expect(quantityMilliValue(parseQuantity("1.0001"))).toBe(1001n);
  });

  it("takes the other's format when adding to zero", () => {
    expect(formatQuantity(addQuantities(parseQuantity("0"), parseQuantity("2Ki")))).toBe("2Ki");
  });
});
