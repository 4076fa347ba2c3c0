const DECIMAL = ["n", "u", "m", "", "k", "M", "G", "T", "P", "E"];
const BINARY = ["Ki", "Mi", "Gi", "Ti", "Pi", "Ei"];

/** A Kubernetes quantity times 10 to the `scale`, rounded away from zero, as `Value` and `MilliValue` do; text that is none is 0. */
export function quantityTimes(text: string, scale: number): number {
  const [, sign, whole = "", fraction = "", suffix = ""] =
    /^([+-]?)(\d*)(?:\.(\d*))?([eE][+-]?\d+|[A-Za-z]{0,2})$/.exec(text) ?? [];
  const decimal = DECIMAL.indexOf(suffix);
  const binary = BINARY.indexOf(suffix);
  const isExponent = /^[eE][+-]?\d+$/.test(suffix);
  if (sign === undefined || (decimal < 0 && binary < 0 && !isExponent)) return 0;
  const power = isExponent ? Number(suffix.slice(1)) : decimal < 0 ? 0 : 3 * (decimal - 3);
  const tens = power + scale - fraction.length;
  if (Math.abs(tens) > 60) return 0;
  let value = BigInt(`${whole}${fraction}` || "0") * 1024n ** BigInt(binary + 1);
  if (tens >= 0) value *= 10n ** BigInt(tens);
  else {
    const divisor = 10n ** BigInt(-tens);
    value = (value + divisor - 1n) / divisor;
  }
  return Number(sign === "-" ? -value : value);
}
