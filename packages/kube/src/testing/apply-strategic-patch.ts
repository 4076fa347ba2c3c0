/**
 * Applies a strategic merge patch as a Kubernetes API server does, for the few list fields with a merge key that a
 * node writes. The other half of `strategic-patch.ts`, kept apart so that each checks the other.
 */
const mergeKeys: Readonly<Record<string, string>> = {
  conditions: "type",
  podIPs: "ip",
  hostIPs: "ip",
  addresses: "type",
  resourceClaimStatuses: "name",
  ownerReferences: "uid",
};

type Fields = Record<string, unknown>;

export function applyStrategicPatch(target: unknown, patch: unknown): unknown {
  if (!isFields(patch)) return patch;
  if (patch["$patch"] === "replace") return without(patch, "$patch");
  const result: Fields = isFields(target) ? { ...target } : {};
  for (const [key, value] of Object.entries(patch)) {
    if (key.startsWith("$")) continue;
    if (value === null) delete result[key];
    else if (Array.isArray(value)) result[key] = applyList(mergeKeys[key], result[key], value);
    else result[key] = applyStrategicPatch(result[key], value);
  }
  return result;
}

function applyList(key: string | undefined, target: unknown, patch: unknown[]): unknown[] {
  const elements = patch.filter(isFields);
  // A list that is not there yet is taken as it comes: old API servers then even keep directives as elements.
  if (key === undefined || target === undefined) return patch;
  if (elements.some((one) => one["$patch"] === "replace" && Object.keys(one).length === 1))
    return elements.filter((one) => one["$patch"] === undefined);
  const result: unknown[] = Array.isArray(target) ? [...(target as unknown[])] : [];
  for (const element of elements) {
    const at = result.findIndex((one) => isFields(one) && one[key] === element[key]);
    if (element["$patch"] === "delete") {
      if (at !== -1) result.splice(at, 1);
    } else if (at === -1) result.push(applyStrategicPatch({}, element));
    else result[at] = applyStrategicPatch(result[at], element);
  }
  return result;
}

function without(fields: Fields, key: string): Fields {
  return Object.fromEntries(Object.entries(fields).filter(([name]) => name !== key));
}

function isFields(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
