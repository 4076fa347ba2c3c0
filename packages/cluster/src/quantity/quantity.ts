/** Resource quantities (`k8s.io/apimachinery/pkg/api/resource`), exact: a whole number of nano units. */

const binary: Readonly<Record<string, number>> = { Ki: 1, Mi: 2, Gi: 3, Ti: 4, Pi: 5, Ei: 6 };
const decimal: Readonly<Record<string, number>> = {
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
const pattern = /^([+-]?)(\d+(?:\.\d*)?|\.\d+)(Ki|Mi|Gi|Ti|Pi|Ei|[numkMGTPE]?|[eE][+-]?\d{1,3})$/;
const nano = 10n ** 9n;

export interface Quantity {
  readonly nanos: bigint;
  readonly format: "binary" | "decimal" | "exponent";
}

/** Undefined when the text is not a quantity. Finer than nano is rounded up, as the real parser does. */
export function parseQuantity(text: string): Quantity | undefined {
  const match = pattern.exec(text);
  if (!match) return undefined;
  const [, sign, digits = "", suffix = ""] = match;
  const [whole = "", fraction = ""] = digits.split(".");
  const mantissa = BigInt(`${whole}${fraction}` || "0");
  const negative = sign === "-";
  const power = binary[suffix];
  let numerator = mantissa * nano;
  let denominator = 10n ** BigInt(fraction.length);
  let format: Quantity["format"] = "decimal";
  if (power !== undefined) {
    numerator *= 1024n ** BigInt(power);
    format = "binary";
  } else {
    const named = decimal[suffix];
    const exponent = named ?? Number(suffix.slice(1));
    if (named === undefined) format = "exponent";
    if (exponent >= 0) numerator *= 10n ** BigInt(exponent);
    else denominator *= 10n ** BigInt(-exponent);
  }
  const rounded = (numerator + denominator - 1n) / denominator;
  return { nanos: negative ? -rounded : rounded, format };
}

/** The canonical text: the largest suffix that leaves a whole number. `0.5` is `500m`, `1024Mi` is `1Gi`. */
export function formatQuantity({ nanos, format }: Quantity): string {
  if (nanos === 0n) return "0";
  const sign = nanos < 0n ? "-" : "";
  const absolute = nanos < 0n ? -nanos : nanos;
  if (format === "binary" && absolute % nano === 0n) {
    let value = absolute / nano;
    // Small binary quantities are written as plain numbers (below 1024 there is no suffix to use).
    let power = 0;
    while (power < 6 && value % 1024n === 0n) {
      value /= 1024n;
      power += 1;
    }
    return `${sign}${value}${["", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"][power]}`;
  }
  let exponent = -9;
  let value = absolute;
  while (exponent < 18 && value % 1000n === 0n) {
    value /= 1000n;
    exponent += 3;
  }
  const suffix =
    format === "exponent"
      ? exponent === 0
        ? ""
        : `e${exponent}`
      : Object.keys(decimal).find((key) => decimal[key] === exponent);
  return `${sign}${value}${suffix ?? ""}`;
}

/** The canonical text of a quantity; what is none stays as it is. */
export function canonicalQuantity(text: string): string {
  const quantity = parseQuantity(text);
  return quantity ? formatQuantity(quantity) : text;
}

/** As a number of base units, for comparing; 0 when absent or unreadable. */
export function quantityNanos(text: string | undefined): bigint {
  return text === undefined ? 0n : (parseQuantity(text)?.nanos ?? 0n);
}
