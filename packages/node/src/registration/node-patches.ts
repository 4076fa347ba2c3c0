import { nodeStatusPatch, sameJson } from "@interlink/kube";
import type { Node, Taint } from "kubernetes-types/core/v1.js";
import { withoutHeartbeats } from "./node-conditions.ts";
import {
  LABELS_ANNOTATION,
  namesIn,
  RESOURCES_ANNOTATION,
  TAINTS_ANNOTATION,
} from "./node-object.ts";
import { taintId } from "./site-offer.ts";

/**
 * Body of the PATCH of `nodes/NAME/status` that makes `live` say what `wanted` says, and whether it has anything in it
 * but heartbeats. Resources that we never offered are another's (a device plugin's, an administrator's) and stay.
 */
export function statusPatch(
  live: Node,
  wanted: Node,
): { patch: Record<string, unknown> | undefined; onlyHeartbeats: boolean } {
  const ours = namesIn(live, RESOURCES_ANNOTATION);
  // The taints' annotation goes with the taints, in their own patch.
  const { [TAINTS_ANNOTATION]: _, ...annotations } = wanted.metadata?.annotations ?? {};
  const full: Node = {
    ...wanted,
    metadata: { ...wanted.metadata, annotations },
    status: {
      ...wanted.status,
      capacity: withForeign(live.status?.capacity, wanted.status?.capacity, ours),
      allocatable: withForeign(live.status?.allocatable, wanted.status?.allocatable, ours),
    },
  };
  const patch = withoutLabels(nodeStatusPatch(live, full), staleLabels(live, wanted));
  const quiet = nodeStatusPatch(still(live), still(full));
  return { patch, onlyHeartbeats: quiet === undefined };
}

/** Labels that an earlier configuration gave and this one does not. */
function staleLabels(live: Node, wanted: Node): string[] {
  const has = live.metadata?.labels ?? {};
  const keeps = wanted.metadata?.labels ?? {};
  return [...namesIn(live, LABELS_ANNOTATION)].filter((name) => name in has && !(name in keeps));
}

function withoutLabels(
  patch: Record<string, unknown> | undefined,
  stale: readonly string[],
): Record<string, unknown> | undefined {
  if (stale.length === 0) return patch;
  const metadata = (patch?.["metadata"] ?? {}) as { labels?: Record<string, string> };
  const removed = Object.fromEntries(stale.map((name) => [name, null]));
  return { ...patch, metadata: { ...metadata, labels: { ...metadata.labels, ...removed } } };
}

function withForeign(
  live: Record<string, string> | undefined,
  wanted: Record<string, string> | undefined,
  ours: ReadonlySet<string>,
): Record<string, string> {
  const foreign = Object.entries(live ?? {}).filter(([name]) => !ours.has(name));
  return { ...Object.fromEntries(foreign), ...wanted };
}

function still(node: Node): Node {
  return {
    ...node,
    status: { ...node.status, conditions: withoutHeartbeats(node.status?.conditions ?? []) },
  };
}

/**
 * Body of the PATCH of `nodes/NAME` that puts our taints on and takes off those that we put on earlier and no longer
 * want; undefined when they are right. Taints of others (cordon, not-ready, an administrator's) stay. The list is
 * replaced as a whole by the server, so the resourceVersion goes along: a 409 means somebody changed it meanwhile.
 */
export function taintPatch(
  live: Node,
  wanted: readonly Taint[],
): Record<string, unknown> | undefined {
  const applied = wanted.map(taintId).join(",");
  const ours = new Set([...namesIn(live, TAINTS_ANNOTATION), ...wanted.map(taintId)]);
  const has = live.spec?.taints ?? [];
  const taints = [...wanted, ...has.filter((taint) => !ours.has(taintId(taint)))];
  const byId = (a: Taint, b: Taint): number => taintId(a).localeCompare(taintId(b));
  const noted = live.metadata?.annotations?.[TAINTS_ANNOTATION] === applied;
  if (noted && sameJson([...has].sort(byId), [...taints].sort(byId))) return undefined;
  return {
    metadata: {
      resourceVersion: live.metadata?.resourceVersion,
      annotations: { [TAINTS_ANNOTATION]: applied },
    },
    spec: { taints },
  };
}
