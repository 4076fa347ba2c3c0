import type { Node, NodeStatus, PodStatus } from "kubernetes-types/core/v1.js";
import type { Fields } from "./json.ts";
import { type DiffRules, strategicDiff } from "./strategic-diff.ts";

/** What a kubelet writes of a pod's status; the rest (qosClass, resourceClaimStatuses …) has other writers. */
const podFields = new Set([
  "phase",
  "conditions",
  "message",
  "reason",
  "hostIP",
  "hostIPs",
  "podIP",
  "podIPs",
  "startTime",
  "initContainerStatuses",
  "containerStatuses",
  "ephemeralContainerStatuses",
]);

/** A kubelet's own pod conditions (`pkg/kubelet/types/pod_status.go`); others are never deleted. */
const podConditions = new Set([
  "PodReadyToStartContainers",
  "Initialized",
  "ContainersReady",
  "Ready",
  "PodResizePending",
  "PodResizeInProgress",
]);

const podRules: DiffRules = {
  lists: {
    conditions: {
      merge: "type",
      deletes: (condition) => podConditions.has(String(condition["type"])),
    },
    podIPs: { replace: true },
    hostIPs: { replace: true },
  },
  owns: (field) => podFields.has(field),
};

/** Body of a strategic merge PATCH of `pods/NAME/status`. */
export interface PodStatusPatch {
  /** A precondition: the server answers 409 when the name belongs to another pod by now. */
  metadata: { uid: string };
  status: Fields;
}

/**
 * The smallest patch that makes `before` say what `after` says; undefined when it already does. Conditions are merged
 * by type and foreign ones left alone; container statuses are replaced as whole lists, so `after` must have them all.
 * No resourceVersion: the patch is right whatever else has changed (reference: kubelet-contract 3.10).
 */
export function podStatusPatch(
  uid: string,
  before: PodStatus | undefined,
  after: PodStatus,
): PodStatusPatch | undefined {
  const status = strategicDiff({ ...before }, { ...after }, podRules);
  return status === undefined ? undefined : { metadata: { uid }, status };
}

const nodeRules: DiffRules = {
  lists: {
    conditions: { merge: "type", deletes: () => false },
    // Merged by type according to the schema, but two addresses may have one type.
    addresses: { replace: true },
  },
  owns: (field) => field === "capacity" || field === "allocatable" || field === "addresses",
};

/**
 * Body of a strategic merge PATCH of `nodes/NAME/status`: conditions of other writers stay, a resource that is no
 * longer there becomes null, and only the labels and annotations that `after` names are touched. Undefined when
 * nothing changes.
 */
export function nodeStatusPatch(before: Node, after: Node): Fields | undefined {
  const status = strategicDiff(statusOf(before), statusOf(after), nodeRules);
  const metadata = strategicDiff(
    { labels: before.metadata?.labels ?? {}, annotations: before.metadata?.annotations ?? {} },
    {
      labels: { ...before.metadata?.labels, ...after.metadata?.labels },
      annotations: { ...before.metadata?.annotations, ...after.metadata?.annotations },
    },
    { lists: {}, owns: () => false },
  );
  if (status === undefined && metadata === undefined) return undefined;
  return {
    ...(metadata === undefined ? {} : { metadata }),
    ...(status === undefined ? {} : { status }),
  };
}

function statusOf(node: Node): Fields {
  const status: NodeStatus = node.status ?? {};
  return { ...status };
}
