import type { Container, ContainerStatus, PodSpec } from "kubernetes-types/core/v1.js";
import { isSidecar, mayRestart } from "./restart-rules.ts";

export type PodPhase = "Pending" | "Running" | "Succeeded" | "Failed";

export interface PhaseInput {
  spec: PodSpec;
  initContainerStatuses: readonly ContainerStatus[];
  containerStatuses: readonly ContainerStatus[];
  /** All containers were stopped by request (deletion, deadline): nothing will be started again. */
  allStopped: boolean;
}

/** Succeeded and Failed are for ever. */
export function isTerminalPhase(phase: string | undefined): phase is "Succeeded" | "Failed" {
  return phase === "Succeeded" || phase === "Failed";
}

/** A container that has run at least once. */
export function hasStarted(status: ContainerStatus | undefined): boolean {
  return Boolean(
    status?.state?.running || status?.state?.terminated || status?.lastState?.terminated,
  );
}

/** Kubernetes `pkg/kubelet/kubelet_pods.go` getPhase (kubelet-contract.md 3.2). */
export function podPhase(input: PhaseInput): PodPhase {
  const { spec } = input;
  const initialized = input.containerStatuses.some(hasStarted);
  const init = countInit(spec, input.initContainerStatuses);
  const regular = countRegular(spec, input.containerStatuses);
  const running = init.running + regular.running;
  const waiting = init.waiting + regular.waiting;
  const unknown = init.unknown + regular.unknown;

  if (init.failedForGood > 0) return "Failed";
  if (init.pending > 0 || (init.pendingSidecars > 0 && !initialized) || waiting > 0) {
    return "Pending";
  }
  if (unknown > 0) return "Pending";
  if (running > 0) return "Running";
  if (regular.stopped === 0) return "Pending";
  const verdict = regular.stopped === regular.succeeded ? "Succeeded" : "Failed";
  return !input.allStopped && regular.restartable > 0 ? "Running" : verdict;
}

function countInit(spec: PodSpec, statuses: readonly ContainerStatus[]) {
  const count = {
    pending: 0,
    pendingSidecars: 0,
    failedForGood: 0,
    running: 0,
    waiting: 0,
    unknown: 0,
  };
  for (const container of spec.initContainers ?? []) {
    const status = statuses.find((one) => one.name === container.name);
    if (isSidecar(container)) {
      if (!status) count.unknown++;
      else if (status.state?.running) {
        count.running++;
        if (!status.started) count.pendingSidecars++;
      } else if (!status.state?.terminated && !status.lastState?.terminated) {
        count.pendingSidecars++;
        count.waiting++;
      }
      continue;
    }
    const end = lastEnd(status);
    if (status?.state?.running || end === undefined) count.pending++;
    else if (end !== 0 && !mayRestart(container, initPolicy(spec), end)) count.failedForGood++;
    else if (end !== 0) count.pending++;
  }
  return count;
}

function countRegular(spec: PodSpec, statuses: readonly ContainerStatus[]) {
  const count = { stopped: 0, succeeded: 0, restartable: 0, running: 0, waiting: 0, unknown: 0 };
  for (const container of spec.containers) {
    const status = statuses.find((one) => one.name === container.name);
    const end = lastEnd(status);
    if (!status) count.unknown++;
    else if (status.state?.running) count.running++;
    else if (end === undefined) count.waiting++;
    else {
      count.stopped++;
      if (status.state?.terminated && end === 0) count.succeeded++;
      if (mayRestart(container, spec.restartPolicy, end)) count.restartable++;
    }
  }
  return count;
}

/** Init containers know no "Always": there they are retried on failure only. */
function initPolicy(spec: PodSpec): string {
  return spec.restartPolicy === "Never" ? "Never" : "OnFailure";
}

/** Exit code of a container that is not running, if it ever ended. */
function lastEnd(status: ContainerStatus | undefined): number | undefined {
  if (!status || status.state?.running) return undefined;
  return (status.state?.terminated ?? status.lastState?.terminated)?.exitCode;
}

/** Containers of a pod that count for readiness: sidecars first, then the regular ones, in spec order. */
export function lastingContainers(spec: PodSpec): Container[] {
  return [...(spec.initContainers ?? []).filter(isSidecar), ...spec.containers];
}
