import type { NodePodStatus } from "../status/pod-status.ts";

/** Strategic merge of a pod status as the API server does it: conditions by type, IPs by ip, other lists whole. */
export function applyStatusPatch(
  before: NodePodStatus,
  patch: Record<string, unknown>,
): NodePodStatus {
  const result: Record<string, unknown> = { ...before };
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete result[key];
    else if (key === "conditions") result[key] = mergeList(result[key], value, "type");
    else if (key === "podIPs" || key === "hostIPs")
      result[key] = mergeList(result[key], value, "ip");
    else result[key] = value;
  }
  return result;
}

type Element = Record<string, unknown>;

function mergeList(before: unknown, patch: unknown, mergeKey: string): Element[] {
  const changes = patch as Element[];
  const replace = changes.some((one) => one.$patch === "replace");
  const result = replace ? [] : [...((before as Element[] | undefined) ?? [])];
  for (const change of changes) {
    if (change.$patch === "replace") continue;
    const index = result.findIndex((one) => one[mergeKey] === change[mergeKey]);
    if (change.$patch === "delete") {
      if (index >= 0) result.splice(index, 1);
      continue;
    }
    const merged: Element = { ...(index >= 0 ? result[index] : {}), ...change };
    for (const [key, value] of Object.entries(merged)) if (value === null) delete merged[key];
    if (index >= 0) result[index] = merged;
    else result.push(merged);
  }
  return result;
}
