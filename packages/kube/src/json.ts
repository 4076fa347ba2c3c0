/** A JSON object whose fields are looked at one by one. */
export type Fields = Record<string, unknown>;

export function isFields(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/**
 * Whether two values mean the same in Kubernetes JSON. A field that is `null` counts as absent: API servers add nulls
 * (`lastProbeTime`, `startedAt`) to what they were given.
 */
export function sameJson(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (a === null || a === undefined) return b === null || b === undefined;
  if (Array.isArray(a) && Array.isArray(b))
    return a.length === b.length && a.every((one, at) => sameJson(one, b[at]));
  if (!isFields(a) || !isFields(b)) return false;
  return [...Object.keys(a), ...Object.keys(b)].every((key) => sameJson(a[key], b[key]));
}
