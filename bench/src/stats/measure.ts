import type { Unit } from "../report/quantity.ts";
import type { DistributionMeasure } from "../scenario.ts";
import { distribution } from "./percentile.ts";

/** A named distribution. Throws RangeError without values. */
export function measured(name: string, unit: Unit, values: readonly number[]): DistributionMeasure {
  return { name, unit, ...distribution(values) };
}
