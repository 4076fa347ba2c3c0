import type { NodePodCondition } from "./conditions.ts";
import type { NodePodStatus } from "./pod-status.ts";
import { sameJson } from "./same-json.ts";

/** Body of a strategic-merge PATCH of `pods/status`; the UID makes it fail on a successor with the same name. */
export interface StatusPatch {
  metadata: { uid: string };
  status: Record<string, unknown>;
}

/** Lists that the API server merges by `ip`; to exchange one it must be told to replace (kubelet-contract.md 3.10). */
const MERGED_BY_IP = new Set(["podIPs", "hostIPs"]);

/**
 * The smallest strategic-merge patch that turns `before` into `after`, or `undefined` when there is nothing to do.
 * Conditions are merged by type, so foreign ones are not mentioned; container statuses have no merge key and are sent
 * whole.
 */
export function statusPatch(
  uid: string,
  before: NodePodStatus,
  after: NodePodStatus,
): StatusPatch | undefined {
  const old = before as Record<string, unknown>;
  const wanted = after as Record<string, unknown>;
  const status: Record<string, unknown> = {};
  for (const key of new Set([...Object.keys(old), ...Object.keys(wanted)])) {
    if (sameJson(old[key], wanted[key])) continue;
    if (key === "conditions") {
      const changes = conditionChanges(before.conditions ?? [], after.conditions ?? []);
      if (changes.length > 0) status[key] = changes;
    } else if (wanted[key] === undefined) {
      status[key] = null;
    } else if (MERGED_BY_IP.has(key) && Array.isArray(old[key]) && old[key].length > 0) {
      status[key] = [{ $patch: "replace" }, ...(wanted[key] as unknown[])];
    } else {
      status[key] = wanted[key];
    }
  }
  return Object.keys(status).length > 0 ? { metadata: { uid }, status } : undefined;
}

function conditionChanges(
  before: readonly NodePodCondition[],
  after: readonly NodePodCondition[],
): Record<string, unknown>[] {
  const changes: Record<string, unknown>[] = [];
  for (const condition of after) {
    const old = before.find((one) => one.type === condition.type);
    if (sameJson(old, condition)) continue;
    const change: Record<string, unknown> = { ...condition };
    // Elements are merged, not replaced: what is no longer said must be taken back.
    for (const key of Object.keys(old ?? {})) {
      if (!(key in change)) change[key] = null;
    }
    changes.push(change);
  }
  for (const { type } of before) {
    if (!after.some((one) => one.type === type)) changes.push({ type, $patch: "delete" });
  }
  return changes;
}
