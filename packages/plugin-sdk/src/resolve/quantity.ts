/** An exact non-negative number: `numerator / denominator`. */
export interface Fraction {
  numerator: bigint;
  denominator: bigint;
}

const QUANTITY = /^\+?(\d+)(?:\.(\d*))?(?:([eE][+-]?\d{1,2})|([numkMGTPE]|[KMGTPE]i))?$/;
const DECIMAL = ["n", "u", "m", "", "k", "M", "G", "T", "P", "E"];
const BINARY = ["", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"];

/** A Kubernetes quantity (`100m`, `1.5Gi`, `1e3`), exactly; `undefined` if it is none or negative. */
export function parseQuantity(text: string): Fraction | undefined {
  const match = QUANTITY.exec(text);
  if (match === null) return undefined;
  const [, whole = "", decimals = "", exponent, suffix = ""] = match;
  const digits = BigInt(whole + decimals);
  const tens = (exponent === undefined ? 0 : Number(exponent.slice(1))) - decimals.length;
  const binary = BINARY.indexOf(suffix);
  const factor = binary > 0 ? 1024n ** BigInt(binary) : 1n;
  const power = tens + (binary > 0 ? 0 : 3 * (DECIMAL.indexOf(suffix) - 3));
  return power >= 0
    ? { numerator: digits * factor * 10n ** BigInt(power), denominator: 1n }
    : { numerator: digits * factor, denominator: 10n ** BigInt(-power) };
}

/** `amount / divisor`, rounded up, as the downward API tells resources. `divisor` must not be 0. */
export function ceilDivide(amount: Fraction, divisor: Fraction): bigint {
  const numerator = amount.numerator * divisor.denominator;
  const denominator = amount.denominator * divisor.numerator;
  return (numerator + denominator - 1n) / denominator;
}
