import type { ContainerStatus, Pod, PodCondition, PodSpec } from "kubernetes-types/core/v1.js";
import { hasStarted, lastingContainers, type PodPhase } from "./phase.ts";
import { isResizeWanted } from "./resize.ts";
import { isSidecar } from "./restart-rules.ts";
import { atSeconds } from "./times.ts";
import { RESIZE_UNSUPPORTED } from "./unsupported.ts";

/** A pod condition as Kubernetes ≥ 1.34 has it. */
export type NodePodCondition = PodCondition & { observedGeneration?: number };

/** The conditions that a node owns, in the order in which a kubelet lists them. All others are left alone. */
export const NODE_CONDITIONS = [
  "PodReadyToStartContainers",
  "Initialized",
  "Ready",
  "ContainersReady",
  "PodScheduled",
] as const;

/** Of pods ≥ 1.33: somebody asks for other resources than the pod has. */
const RESIZE_PENDING = "PodResizePending";
/** Shared with the controllers that disrupt pods; a kubelet sets it with the end of the pod only. */
const DISRUPTION = "DisruptionTarget";
/** Reasons of pods that a node ends for its own sake; a Job may count them apart (`podFailurePolicy`). */
const DISRUPTIONS: ReadonlySet<string> = new Set(["Evicted", "Preempting", "Terminated"]);

export interface ConditionsInput {
  pod: Pod;
  phase: PodPhase;
  initContainerStatuses: readonly ContainerStatus[];
  containerStatuses: readonly ContainerStatus[];
  /** Network and volumes of the pod exist at the site. */
  sandboxReady: boolean;
  /** Why the pod has failed, if neither its containers nor a person ended it. */
  disruption?: { reason: string; message: string } | undefined;
  now: Date;
}

interface Verdict {
  status: "True" | "False";
  reason?: string;
  message?: string;
}

/**
 * Kubernetes `pkg/kubelet/status/generate.go` (kubelet-contract.md 3.3). Starts from the conditions that the API holds:
 * foreign ones stay as they are, transition times change only with the status.
 */
export function podConditions(input: ConditionsInput): NodePodCondition[] {
  const before: NodePodCondition[] = input.pod.status?.conditions ?? [];
  const generation = input.pod.metadata?.generation;
  const ready = containersReady(input);
  const verdicts: Record<(typeof NODE_CONDITIONS)[number], Verdict> = {
    PodReadyToStartContainers: { status: input.sandboxReady ? "True" : "False" },
    Initialized: initialized(input),
    Ready: podReady(input.pod, ready),
    ContainersReady: ready,
    PodScheduled: { status: "True" },
  };
  const condition = (type: string, verdict: Verdict): NodePodCondition => {
    const old = before.find((one) => one.type === type);
    const same = old?.status === verdict.status && old.lastTransitionTime;
    return {
      type,
      status: verdict.status,
      ...(verdict.reason ? { reason: verdict.reason } : {}),
      ...(verdict.message ? { message: verdict.message } : {}),
      lastTransitionTime: same ? same : atSeconds(input.now),
      ...(generation ? { observedGeneration: generation } : {}),
    };
  };
  const own = NODE_CONDITIONS.map((type) => condition(type, verdicts[type]));
  if (isResizeWanted(input.pod, [...input.initContainerStatuses, ...input.containerStatuses])) {
    const message = RESIZE_UNSUPPORTED;
    own.push(condition(RESIZE_PENDING, { status: "True", reason: "Infeasible", message }));
  }
  if (input.disruption && DISRUPTIONS.has(input.disruption.reason)) {
    const { message } = input.disruption;
    own.push(condition(DISRUPTION, { status: "True", reason: "TerminationByKubelet", message }));
  }
  const foreign = before.filter(
    ({ type }) => type !== RESIZE_PENDING && !own.some((mine) => mine.type === type),
  );
  return [...own, ...foreign];
}

function initialized(input: ConditionsInput): Verdict {
  const spec = input.pod.spec as PodSpec;
  const statuses = input.initContainerStatuses;
  const unknown: string[] = [];
  const incomplete: string[] = [];
  for (const container of spec.initContainers ?? []) {
    const status = statuses.find((one) => one.name === container.name);
    if (!status) unknown.push(container.name);
    else if (!(isSidecar(container) ? status.started : status.ready))
      incomplete.push(container.name);
  }
  if (input.phase === "Succeeded" && unknown.length === 0) {
    return { status: "True", reason: "PodCompleted" };
  }
  if (unknown.length + incomplete.length === 0 || input.containerStatuses.some(hasStarted)) {
    return { status: "True" };
  }
  return {
    status: "False",
    reason: "ContainersNotInitialized",
    message: [
      ...(unknown.length ? [`containers with unknown status: [${unknown.join(" ")}]`] : []),
      ...(incomplete.length
        ? [`containers with incomplete status: [${incomplete.join(" ")}]`]
        : []),
    ].join(", "),
  };
}

function containersReady(input: ConditionsInput): Verdict {
  const statuses = [...input.initContainerStatuses, ...input.containerStatuses];
  const unknown: string[] = [];
  const unready: string[] = [];
  for (const { name } of lastingContainers(input.pod.spec as PodSpec)) {
    const status = statuses.find((one) => one.name === name);
    if (!status) unknown.push(name);
    else if (!status.ready) unready.push(name);
  }
  // A pod that has ended is never ready, whatever its containers say.
  if (input.phase === "Succeeded") return { status: "False", reason: "PodCompleted" };
  if (input.phase === "Failed") return { status: "False", reason: "PodFailed" };
  if (unknown.length + unready.length === 0) return { status: "True" };
  return {
    status: "False",
    reason: "ContainersNotReady",
    message: [
      ...(unknown.length ? [`containers with unknown status: [${unknown.join(" ")}]`] : []),
      ...(unready.length ? [`containers with unready status: [${unready.join(" ")}]`] : []),
    ].join(", "),
  };
}

function podReady(pod: Pod, containers: Verdict): Verdict {
  if (containers.status === "False") return containers;
  const messages: string[] = [];
  for (const { conditionType } of pod.spec?.readinessGates ?? []) {
    const gate = pod.status?.conditions?.find((one) => one.type === conditionType);
    if (!gate) {
      messages.push(
        `corresponding condition of pod readiness gate "${conditionType}" does not exist.`,
      );
    } else if (gate.status !== "True") {
      messages.push(
        `the status of pod readiness gate "${conditionType}" is not "True", but ${gate.status}`,
      );
    }
  }
  if (messages.length === 0) return { status: "True" };
  return { status: "False", reason: "ReadinessGatesNotReady", message: messages.join(", ") };
}
