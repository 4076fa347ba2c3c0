/** What a measured number means. Ratios have none. */
export type Unit = "ms" | "s" | "/s" | "MiB" | "KiB" | "CPU ms" | "x" | "";

/** A number for people: three digits that mean something, and its unit. */
export function showQuantity(value: number, unit: Unit): string {
  if (!Number.isFinite(value)) return "n/a";
  const absolute = Math.abs(value);
  const digits = Number.isInteger(value) || absolute >= 100 ? 0 : absolute >= 10 ? 1 : 2;
  const text = value.toFixed(digits);
  if (unit === "") return text;
  return unit === "/s" || unit === "x" ? `${text}${unit}` : `${text} ${unit}`;
}
