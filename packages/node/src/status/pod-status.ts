import { allStatuses, type RemotePodStatus } from "@interlink/protocol";
import type { ContainerStatus, Pod, PodSpec, PodStatus } from "kubernetes-types/core/v1.js";
import { hostIPs, podIPs } from "./addresses.ts";
import { baseJobIsOver, readBaseStatus } from "./base-protocol.ts";
import { type NodePodCondition, podConditions } from "./conditions.ts";
import { keepEquivalent } from "./keep-equivalent.ts";
import { hasStarted, isTerminalPhase, type PodPhase, podPhase } from "./phase.ts";
import {
  byName,
  type ContainersContext,
  type PodContainerStatuses,
  podContainerStatuses,
} from "./pod-container-statuses.ts";
import { atSeconds } from "./times.ts";

/** A pod status as Kubernetes ≥ 1.34 has it. */
export type NodePodStatus = Omit<PodStatus, "conditions"> & {
  conditions?: NodePodCondition[];
  observedGeneration?: number;
};

/** Why the node itself says that a pod failed. Both texts are for the person who reads `kubectl describe`. */
export interface PodVerdict {
  reason: string;
  message: string;
  /** Nothing of the pod ever began. Its containers are left out: `kubectl get` would show their state, not the reason. */
  neverBegan?: boolean;
}

export interface PodStatusContext extends ContainersContext {
  /** The node's address, for hostIP; a name instead of an IP is left out. */
  hostIP: string | undefined;
  /**
   * The site confirmed that everything of this pod is stopped, or that nothing was ever started: what is not known to
   * have ended will not be told any more.
   */
  allStopped: boolean;
  /** The node decided that the pod fails (refused, lost, deadline). It shows once nothing can run any more. */
  verdict?: PodVerdict | undefined;
  /** `interlink.eu/pod-ip` and the like: addresses that the node knows by itself. */
  podIPs?: readonly string[] | undefined;
}

/**
 * What the Kubernetes API should hold for this pod, from what the site tells and what the API holds already
 * (kubelet-contract.md 3.2–3.4 and 3.8). Pure; fields that the node does not own come back as they were.
 * A status without `extension` is from a peer of the base protocol and is read as such.
 */
export function podStatus(
  pod: Pod,
  remote: RemotePodStatus | undefined,
  context: PodStatusContext,
  now: Date,
): NodePodStatus {
  const previous: NodePodStatus = pod.status ?? {};
  // Terminal is for ever: controllers have counted this pod already.
  if (isTerminalPhase(previous.phase))
    return endedStatus(pod, previous.phase, remote, context, now);
  const spec = pod.spec as PodSpec;
  const base = remote !== undefined && remote.extension === undefined;
  const told = base ? readBaseStatus(spec, remote, previous, now) : remote;
  const refused = told?.extension?.failed;
  const verdict: PodVerdict | undefined = context.verdict ?? refused;

  let allStopped = context.allStopped || refused !== undefined;
  let statuses = podContainerStatuses(pod, told, context, allStopped, now);
  if (base && !allStopped && baseJobIsOver(spec, statuses.regular, now)) {
    allStopped = true;
    statuses = podContainerStatuses(pod, told, context, allStopped, now);
  }
  const phase = settledPhase(spec, statuses, previous.phase, allStopped, verdict);
  const terminal = isTerminalPhase(phase);
  const ips = addresses(pod, told, context);
  const explained = explanation(terminal ? verdict : undefined, told, statuses.regular, terminal);
  const neverBegan = terminal && verdict?.neverBegan === true;

  const status: NodePodStatus = {
    ...previous,
    phase,
    conditions: podConditions({
      pod,
      phase,
      initContainerStatuses: statuses.init,
      containerStatuses: statuses.regular,
      sandboxReady: !terminal && sandboxReady(told, ips.podIPs, statuses),
      disruption: terminal ? verdict : undefined,
      now,
    }),
    startTime: previous.startTime ?? atSeconds(now),
    containerStatuses: statuses.regular.toSorted(byName),
    ...(statuses.init.length ? { initContainerStatuses: statuses.init } : {}),
    ...(statuses.ephemeral.length ? { ephemeralContainerStatuses: statuses.ephemeral } : {}),
    ...(ips.hostIPs[0]
      ? { hostIP: ips.hostIPs[0], hostIPs: ips.hostIPs.map((ip) => ({ ip })) }
      : {}),
    ...(ips.podIPs[0] ? { podIP: ips.podIPs[0], podIPs: ips.podIPs.map((ip) => ({ ip })) } : {}),
  };
  if (neverBegan) {
    for (const field of CONTAINER_FIELDS) delete status[field];
  }
  delete status.reason;
  delete status.message;
  Object.assign(status, explained);
  const generation = Math.max(pod.metadata?.generation ?? 0, previous.observedGeneration ?? 0);
  if (generation > 0) status.observedGeneration = generation;
  return keepEquivalent(previous, status);
}

const CONTAINER_FIELDS = [
  "containerStatuses",
  "initContainerStatuses",
  "ephemeralContainerStatuses",
] as const;

/**
 * Whether what the site tells ends the pod, whatever phase the API holds: if not, somebody else wrote that phase, and
 * the job goes on.
 */
export function hasEndedByItself(pod: Pod, remote: RemotePodStatus, now: Date): boolean {
  const { phase: _, ...status } = pod.status ?? {};
  const context = { hostIP: undefined, allStopped: false };
  return isTerminalPhase(podStatus({ ...pod, status }, remote, context, now).phase);
}

/**
 * The status of a pod that has its last phase already. Only where somebody else wrote that phase over running
 * containers is there anything left to tell: how these end.
 */
function endedStatus(
  pod: Pod,
  phase: PodPhase,
  remote: RemotePodStatus | undefined,
  context: PodStatusContext,
  now: Date,
): NodePodStatus {
  const previous: NodePodStatus = pod.status ?? {};
  if (!allStatuses(previous).some(({ state }) => state?.running)) return previous;
  const base = remote !== undefined && remote.extension === undefined;
  const told = base ? readBaseStatus(pod.spec as PodSpec, remote, previous, now) : remote;
  const statuses = podContainerStatuses(pod, told, context, context.allStopped, now);
  return keepEquivalent(previous, {
    ...previous,
    conditions: podConditions({
      pod,
      phase,
      initContainerStatuses: statuses.init,
      containerStatuses: statuses.regular,
      sandboxReady: false,
      now,
    }),
    containerStatuses: statuses.regular.toSorted(byName),
    ...(statuses.init.length ? { initContainerStatuses: statuses.init } : {}),
    ...(statuses.ephemeral.length ? { ephemeralContainerStatuses: statuses.ephemeral } : {}),
  });
}

/**
 * The phase, held back while something may still run: controllers act on a terminal phase at once
 * (Kubernetes `status_manager.go` mergePodStatus).
 */
function settledPhase(
  spec: PodSpec,
  statuses: PodContainerStatuses,
  previous: string | undefined,
  allStopped: boolean,
  verdict: PodVerdict | undefined,
): PodPhase {
  const phase = podPhase({
    spec,
    initContainerStatuses: statuses.init,
    containerStatuses: statuses.regular,
    allStopped,
  });
  const wanted = verdict ? "Failed" : phase;
  if (allStopped) return isTerminalPhase(wanted) ? wanted : "Failed";
  const running = [...statuses.init, ...statuses.regular, ...statuses.ephemeral].some(
    (one) => one.state?.running,
  );
  if (!isTerminalPhase(wanted) || (!running && !verdict)) return wanted;
  return previous === "Running" || phase === "Running" ? "Running" : "Pending";
}

function sandboxReady(
  told: RemotePodStatus | undefined,
  ips: readonly string[],
  statuses: PodContainerStatuses,
): boolean {
  if (told?.extension?.sandboxReadyAt) return true;
  return ips.length > 0 || [...statuses.init, ...statuses.regular].some(hasStarted);
}

function addresses(pod: Pod, told: RemotePodStatus | undefined, context: PodStatusContext) {
  const known = pod.status?.hostIPs?.map(({ ip }) => ip) ?? [];
  const host = hostIPs([told?.extension?.hostIP, context.hostIP, ...known]);
  if (pod.spec?.hostNetwork) return { hostIPs: host, podIPs: podIPs(host) };
  // A pod keeps its addresses after it has ended; new ones replace them as a whole.
  const fresh = podIPs([...(told?.extension?.podIPs ?? []), ...(context.podIPs ?? [])]);
  const kept = podIPs(pod.status?.podIPs?.map(({ ip }) => ip) ?? []);
  return { hostIPs: host, podIPs: fresh.length > 0 ? fresh : kept };
}

/** `reason` and `message` of the pod: why it failed, or, before anything runs, what the site says it waits for. */
function explanation(
  verdict: PodVerdict | undefined,
  told: RemotePodStatus | undefined,
  containers: readonly ContainerStatus[],
  terminal: boolean,
): { reason?: string; message?: string } {
  if (verdict) return { reason: verdict.reason, message: verdict.message };
  if (containers.some(hasStarted) && !terminal) return {};
  const { reason, message } = told?.extension ?? {};
  return { ...(reason ? { reason } : {}), ...(message ? { message } : {}) };
}
