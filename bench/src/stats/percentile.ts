/** Distribution of a set of numbers, all in the unit that they came in. */
export interface Distribution {
  count: number;
  min: number;
  p50: number;
  p99: number;
  max: number;
}

/**
 * The smallest value that is not below `percent` of the values (nearest rank): always one that was measured, never an
 * average of two. Throws RangeError without values or when `percent` is not in 0 … 100.
 */
export function percentile(values: readonly number[], percent: number): number {
  if (!(percent >= 0 && percent <= 100)) throw new RangeError(`${percent} is no percentage`);
  const sorted = [...values].sort((a, b) => a - b);
  const value = sorted[Math.max(0, Math.ceil((percent / 100) * sorted.length) - 1)];
  if (value === undefined) throw new RangeError("no values, so no percentile");
  return value;
}

/** Throws RangeError without values. */
export function distribution(values: readonly number[]): Distribution {
  return {
    count: values.length,
    min: percentile(values, 0),
    p50: percentile(values, 50),
    p99: percentile(values, 99),
    max: percentile(values, 100),
  };
}
