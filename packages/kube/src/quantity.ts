import { KubeError } from "./errors.ts";

/**
 * A Kubernetes resource quantity, exactly: a whole number of 10⁻⁹, which is the finest that Kubernetes knows
 * (apimachinery `pkg/api/resource/quantity.go`). `format` is the family of suffixes it was written in.
 */
export interface Quantity {
  readonly nanos: bigint;
  readonly format: QuantityFormat;
}

/** How a quantity is written again: `1k`, `1Ki` or `1e3`. */
export type QuantityFormat = "decimal" | "binary" | "exponent";

const NANO = 1_000_000_000n;
/** Kubernetes caps quantities at an int64. */
const LIMIT = (2n ** 63n - 1n) * NANO;

const decimalExponents: Readonly<Record<string, number>> = {
  n: -9,
  u: -6,
  m: -3,
  "": 0,
  k: 3,
  M: 6,
  G: 9,
  T: 12,
  P: 15,
  E: 18,
};
const binarySuffixes = ["", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"];

const grammar =
  /^([+-]?)(\d{0,64})(?:\.(\d{0,64}))?(n|u|m|k|M|G|T|P|E|[KMGTPE]i|[eE][+-]?\d{1,6})?$/;

/** Reads a quantity; finer than 10⁻⁹ is rounded up, as Kubernetes does. Throws KubeError `invalid`. */
export function parseQuantity(text: string | number): Quantity {
  const match = grammar.exec(String(text));
  const [, sign, whole = "", fraction = "", suffix = ""] = match ?? [];
  if (match === null || whole + fraction === "")
    throw new KubeError(
      "invalid",
      `"${String(text).slice(0, 80)}" is not a Kubernetes quantity; write for example 500m, 2, 1.5Gi or 1e3`,
    );
  const digits = BigInt(whole + fraction);
  const binary = binarySuffixes.indexOf(suffix);
  const format = binary > 0 ? "binary" : /^[eE][+-]?\d/.test(suffix) ? "exponent" : "decimal";
  const exponent =
    format === "exponent" ? Number(suffix.slice(1)) : (decimalExponents[suffix] ?? 0);
  const units = binary > 0 ? digits * 1024n ** BigInt(binary) : digits;
  const nanos = scale(units, exponent - fraction.length + 9);
  const capped = nanos > LIMIT ? LIMIT : nanos;
  return { nanos: sign === "-" ? -capped : capped, format };
}

/** As `parseQuantity`, but undefined when it cannot be read. */
export function tryParseQuantity(text: string | number): Quantity | undefined {
  try {
    return parseQuantity(text);
  } catch {
    return undefined;
  }
}

/** The canonical text: a whole number with the largest suffix that keeps it whole. */
export function formatQuantity(quantity: Quantity): string {
  const { nanos } = quantity;
  if (nanos === 0n) return "0";
  const small = nanos > -1024n * NANO && nanos < 1024n * NANO;
  return quantity.format === "binary" && !small
    ? formatBinary(nanos)
    : formatDecimal(nanos, quantity.format === "exponent");
}

/** `canonicalQuantity("0.5")` is `"500m"`. Throws KubeError `invalid`. */
export function canonicalQuantity(text: string | number): string {
  return formatQuantity(parseQuantity(text));
}

/** Negative, zero or positive, as `a` is less than, equal to or more than `b`. */
export function compareQuantities(a: Quantity, b: Quantity): number {
  return a.nanos < b.nanos ? -1 : a.nanos > b.nanos ? 1 : 0;
}

/** The sum keeps the format of `a`, unless `a` is zero. */
export function addQuantities(a: Quantity, b: Quantity): Quantity {
  return { nanos: clamp(a.nanos + b.nanos), format: a.nanos === 0n ? b.format : a.format };
}

/** The difference keeps the format of `a`, unless `a` is zero. It may be negative. */
export function subtractQuantities(a: Quantity, b: Quantity): Quantity {
  return addQuantities(a, { ...b, nanos: -b.nanos });
}

/** In whole units, rounded away from zero: bytes, cores. */
export function quantityValue(quantity: Quantity): bigint {
  return divideUp(quantity.nanos, NANO);
}

/** In thousandths, rounded away from zero: millicores. */
export function quantityMilliValue(quantity: Quantity): bigint {
  return divideUp(quantity.nanos, NANO / 1000n);
}

/** `units × 10^exponent`, rounded up when that is not whole. `units` is not negative. */
function scale(units: bigint, exponent: number): bigint {
  if (units === 0n) return 0n;
  // Beyond these the answer is the cap or the smallest value, and the power would be a huge number.
  if (exponent > 64) return LIMIT;
  if (exponent < -200) return 1n;
  return exponent >= 0
    ? units * 10n ** BigInt(exponent)
    : divideUp(units, 10n ** BigInt(-exponent));
}

function formatBinary(nanos: bigint): string {
  let units = divideUp(nanos, NANO);
  let power = 0;
  while (units % 1024n === 0n && power < binarySuffixes.length - 1) {
    units /= 1024n;
    power += 1;
  }
  return `${units}${binarySuffixes[power]}`;
}

function formatDecimal(nanos: bigint, asExponent: boolean): string {
  let units = nanos;
  let exponent = -9;
  while (units % 1000n === 0n && exponent < 18) {
    units /= 1000n;
    exponent += 3;
  }
  if (asExponent) return exponent === 0 ? `${units}` : `${units}e${exponent}`;
  const suffix = Object.entries(decimalExponents).find(([, power]) => power === exponent);
  return `${units}${suffix?.[0] ?? ""}`;
}

function divideUp(value: bigint, by: bigint): bigint {
  const quotient = value / by;
  if (value % by === 0n) return quotient;
  return value > 0n ? quotient + 1n : quotient - 1n;
}

function clamp(nanos: bigint): bigint {
  if (nanos > LIMIT) return LIMIT;
  return nanos < -LIMIT ? -LIMIT : nanos;
}
