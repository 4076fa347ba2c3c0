import { ceilDivide, parseQuantity } from "@interlink/plugin-sdk";

/**
 * A Kubernetes quantity in units of 1/`parts`, rounded up as Kubernetes does: `ceilQuantity("0.1", 1000)` is 100.
 * Throws a sentence when it is none, or negative.
 */
export function ceilQuantity(text: string, parts: 1 | 1000 = 1): number {
  const amount = parseQuantity(text);
  if (amount === undefined) throw new Error(`"${text}" is not a quantity such as 500m or 64Mi.`);
  return Number(ceilDivide(amount, { numerator: 1n, denominator: BigInt(parts) }));
}
