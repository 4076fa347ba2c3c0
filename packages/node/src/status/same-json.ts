/**
 * Whether two values mean the same in Kubernetes JSON: key order does not count, and neither does the difference
 * between a key that is missing and one that is `null`.
 */
export function sameJson(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (a === null || a === undefined) return b === null || b === undefined;
  if (typeof a !== "object" || typeof b !== "object" || b === null) return false;
  if (Array.isArray(a) || Array.isArray(b)) {
    if (!Array.isArray(a) || !Array.isArray(b) || a.length !== b.length) return false;
    return a.every((item, index) => sameJson(item, b[index]));
  }
  const left = a as Record<string, unknown>;
  const right = b as Record<string, unknown>;
  const keys = new Set([...Object.keys(left), ...Object.keys(right)]);
  return [...keys].every((key) => sameJson(left[key], right[key]));
}

/**
 * `after`, with every field of the status and every condition that means the same as in `before` taken from there.
 * The API server adds nulls (`lastProbeTime`, `startedAt`) to what it is given; without this each look would find a
 * difference and write again.
 */
export function keepEquivalent<T extends { conditions?: { type: string }[] }>(
  before: T,
  after: T,
): T {
  const old = before as Record<string, unknown>;
  const entries = Object.entries(after).map(([key, value]): [string, unknown] => {
    if (sameJson(old[key], value)) return [key, old[key]];
    if (key !== "conditions") return [key, value];
    return [key, after.conditions?.map((one) => equivalentIn(before.conditions, one) ?? one)];
  });
  return Object.fromEntries(entries) as T;
}

function equivalentIn<C extends { type: string }>(list: C[] | undefined, one: C): C | undefined {
  return list?.find((old) => old.type === one.type && sameJson(old, one));
}
