import { sameJson } from "@interlink/kube";

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
