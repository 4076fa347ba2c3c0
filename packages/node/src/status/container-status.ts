import type {
  Container,
  ContainerState,
  ContainerStateTerminated,
  ContainerStatus,
} from "kubernetes-types/core/v1.js";
import { isSidecar, mayRestart } from "./restart-rules.ts";
import { atSeconds, toSeconds } from "./times.ts";

export interface ContainerStatusInput {
  container: Container;
  /** Regular init containers are ready when they ended with 0; all others while they run. */
  init: boolean;
  podPolicy: string | undefined;
  /** What the site says, if it says anything about this container. */
  told: ContainerStatus | undefined;
  /** What the Kubernetes API holds. */
  previous: ContainerStatus | undefined;
  /** What it got of the node, where the API has a place for it. */
  granted?: Pick<ContainerStatus, "resources" | "allocatedResources">;
  /** Waiting reason and message until something else is known. */
  waiting: { reason: string; message?: string | undefined };
  /** Set when everything was stopped by request and nothing more will be told. */
  allStopped: boolean;
  now: Date;
}

/** Reason of a container whose end nobody saw (Kubernetes `pkg/kubelet/container/runtime.go`). */
const CONTAINER_STATUS_UNKNOWN = "ContainerStatusUnknown";

/**
 * One container's status in the form that the Kubernetes API accepts and a kubelet would write
 * (kubelet-contract.md 3.4): exactly one state, seconds precision, a restart count that never falls, and an end that is
 * final stays the end.
 */
export function containerStatus(input: ContainerStatusInput): ContainerStatus {
  const { container, told, previous } = input;
  const heard = isFinal(input) ? undefined : told;
  const state = input.allStopped
    ? stoppedState(currentState(input, heard), heard, previous)
    : currentState(input, heard);
  const started = state.running ? (heard?.started ?? previous?.started ?? true) : false;
  const containerID = heard?.containerID || previous?.containerID;
  return {
    name: container.name,
    state,
    lastState: lastState(state, heard, previous),
    ready: isReady(input, state, started),
    restartCount: Math.max(count(heard?.restartCount), count(previous?.restartCount)),
    image: heard?.image || previous?.image || container.image || "",
    imageID: heard?.imageID || previous?.imageID || "",
    ...(containerID ? { containerID } : {}),
    started,
    ...input.granted,
  };
}

/** The API refuses to bring back a container that may not restart (validation ValidatePodStatusUpdate). */
function isFinal(input: ContainerStatusInput): boolean {
  const end = input.previous?.state?.terminated;
  if (!end) return false;
  return !mayRestart(input.container, input.podPolicy, end.exitCode);
}

function currentState(
  input: ContainerStatusInput,
  told: ContainerStatus | undefined,
): ContainerState {
  const { previous, now } = input;
  const state = told?.state;
  if (state?.terminated) return { terminated: terminated(state.terminated, previous, now) };
  if (state?.running) {
    const startedAt =
      toSeconds(state.running.startedAt) ?? previous?.state?.running?.startedAt ?? atSeconds(now);
    return { running: { startedAt } };
  }
  if (state?.waiting) {
    const reason = state.waiting.reason || input.waiting.reason;
    const message = state.waiting.message || (state.waiting.reason ? "" : input.waiting.message);
    return { waiting: { reason, ...(message ? { message } : {}) } };
  }
  const old = previous?.state;
  if (old?.terminated || old?.running) return old;
  const { reason, message } = input.waiting;
  return { waiting: { reason, ...(message ? { message } : {}) } };
}

/** A missing exit code is 0, as Go peers that leave out zero values mean it. */
function terminated(
  end: ContainerStateTerminated,
  previous: ContainerStatus | undefined,
  now: Date,
): ContainerStateTerminated {
  const old = previous?.state;
  const exitCode = Number.isInteger(end.exitCode) ? end.exitCode : 0;
  const startedAt =
    toSeconds(end.startedAt) ?? old?.running?.startedAt ?? old?.terminated?.startedAt;
  const finishedAt = toSeconds(end.finishedAt) ?? old?.terminated?.finishedAt ?? atSeconds(now);
  return {
    exitCode,
    ...(end.signal ? { signal: end.signal } : {}),
    reason: end.reason || (exitCode === 0 ? "Completed" : "Error"),
    ...(end.message ? { message: end.message } : {}),
    ...(startedAt ? { startedAt } : {}),
    finishedAt,
    ...(end.containerID ? { containerID: end.containerID } : {}),
  };
}

/**
 * Everything was stopped: a container that had begun and whose end was not told ends as unknown, 137; one that never
 * began stays waiting, for it did not fail (Kubernetes `status_manager.go` TerminatePod).
 */
function stoppedState(
  state: ContainerState,
  told: ContainerStatus | undefined,
  previous: ContainerStatus | undefined,
): ContainerState {
  if (state.terminated) return state;
  const begun =
    state.running ||
    previous?.state?.running ||
    told?.lastState?.terminated ||
    previous?.lastState?.terminated;
  if (!begun) return state;
  return {
    terminated: {
      exitCode: 137,
      reason: CONTAINER_STATUS_UNKNOWN,
      message: "The container could not be located when the pod was terminated",
      ...(state.running?.startedAt ? { startedAt: state.running.startedAt } : {}),
    },
  };
}

/** The run before this one. An end that is replaced by a new try moves here. */
function lastState(
  state: ContainerState,
  told: ContainerStatus | undefined,
  previous: ContainerStatus | undefined,
): ContainerState {
  const said = told?.lastState?.terminated;
  if (said) {
    const { startedAt, finishedAt, ...rest } = said;
    const from = toSeconds(startedAt);
    const to = toSeconds(finishedAt);
    const exitCode = Number.isInteger(said.exitCode) ? said.exitCode : 0;
    return {
      terminated: {
        ...rest,
        exitCode,
        reason: said.reason || (exitCode === 0 ? "Completed" : "Error"),
        ...(from ? { startedAt: from } : {}),
        ...(to ? { finishedAt: to } : {}),
      },
    };
  }
  if (previous?.state?.terminated && !state.terminated)
    return { terminated: previous.state.terminated };
  return previous?.lastState?.terminated ? { terminated: previous.lastState.terminated } : {};
}

function isReady(input: ContainerStatusInput, state: ContainerState, started: boolean): boolean {
  if (input.init && !isSidecar(input.container)) return state.terminated?.exitCode === 0;
  if (!state.running || !started) return false;
  return input.told ? input.told.ready : (input.previous?.ready ?? false);
}

function count(restarts: number | undefined): number {
  return Number.isInteger(restarts) && (restarts as number) > 0 ? (restarts as number) : 0;
}
