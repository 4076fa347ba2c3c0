import type { Node, Pod } from "kubernetes-types/core/v1.js";
import { type HostPort, hostPorts, portsConflict } from "./host-ports.ts";
import { matchesNode } from "./node-affinity.ts";
import { type Amounts, podRequests, readAmounts } from "./pod-requests.ts";
import { shortage } from "./resource-fit.ts";
import { sysctlProblem } from "./sysctls.ts";
import { isDrivenAway } from "./taints.ts";

const MIRROR_ANNOTATION = "kubernetes.io/config.mirror";
const OS_LABEL = "kubernetes.io/os";
const NODE_OS = "linux";

/** Mirrors of another kubelet's static pods are not for us to run. */
export function isMirrorPod(pod: Pod): boolean {
  return pod.metadata?.annotations?.[MIRROR_ANNOTATION] !== undefined;
}

/** What the pods that are on the node already take of it. */
export interface Taken {
  pods: number;
  amounts: Amounts;
  hostPorts: readonly HostPort[];
}

/** Why a pod is not admitted; the words are a kubelet's. */
export interface Rejection {
  reason: string;
  /** As in the event; the pod's status says `Pod was rejected: ` before it. */
  message: string;
}

/**
 * Whether this node takes a pod that was bound to it, beside those that it has (kubelet-contract.md 3.1). A pod with a
 * `nodeName` of its own has never met a scheduler, so everything that one would check is checked here. `undefined`: it
 * does.
 */
export function rejection(pod: Pod, node: Node, taken: Taken): Rejection | undefined {
  return wrongPlatform(pod) ?? unfit(pod, node, taken) ?? unservable(pod);
}

function wrongPlatform({ spec }: Pod): Rejection | undefined {
  const wanted = spec?.nodeSelector?.[OS_LABEL];
  if (wanted !== undefined && wanted !== NODE_OS) {
    return {
      reason: "PodOSSelectorNodeLabelDoesNotMatch",
      message: "Failed to admit pod as the `kubernetes.io/os` label doesn't match node label",
    };
  }
  const os = spec?.os?.name;
  if (os === undefined || os === NODE_OS) return undefined;
  return {
    reason: "PodOSNotSupported",
    message: "Failed to admit pod as the OS field doesn't match node OS",
  };
}

function unfit(pod: Pod, node: Node, taken: Taken): Rejection | undefined {
  const { allocatable } = node.status ?? {};
  if (allocatable !== undefined) {
    const lack = shortage(podRequests(pod), taken.amounts, taken.pods, readAmounts(allocatable));
    if (lack !== undefined) {
      const { resource, requested, used, capacity } = lack;
      return {
        reason: `OutOf${resource}`,
        message: `Node didn't have enough resource: ${resource}, requested: ${requested}, used: ${used}, capacity: ${capacity}`,
      };
    }
  }
  if (!matchesNode(pod, node)) {
    return failed("NodeAffinity", "node(s) didn't match Pod's node affinity/selector");
  }
  if (portsConflict(hostPorts(pod), taken.hostPorts)) {
    return failed("NodePorts", "node(s) didn't have free ports for the requested pod ports");
  }
  if (isDrivenAway(pod, node)) {
    return failed("TaintToleration", "node(s) had taints that the pod didn't tolerate");
  }
  return undefined;
}

function failed(predicate: string, why: string): Rejection {
  return { reason: predicate, message: `Predicate ${predicate} failed: ${why}` };
}

function unservable(pod: Pod): Rejection | undefined {
  const sysctl = sysctlProblem(pod);
  if (sysctl !== undefined) return { reason: "SysctlForbidden", message: sysctl };
  // Newer than the type package.
  const context = pod.spec?.securityContext as { supplementalGroupsPolicy?: string } | undefined;
  if (context?.supplementalGroupsPolicy !== "Strict") return undefined;
  return {
    reason: "SupplementalGroupsPolicyNotSupported",
    message: "SupplementalGroupsPolicy=Strict is not supported in this node",
  };
}
