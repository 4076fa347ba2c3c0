import type { ObservedContainer } from "../runtime/container-runtime.ts";
import type { PlannedPod } from "./planned-pod.ts";
import type { Attempt, ContainerRecord, PodRecord } from "./record.ts";
import { containerRecord, isLost, newestAttempts, withContainer } from "./record.ts";
import { progress } from "./start-order.ts";

export interface Observation {
  /** Every container of this pod that the runtime knows. */
  containers: readonly ObservedContainer[];
  now: number;
  /**
   * Whether the runtime was asked after this attempt was made. If not, its absence says nothing.
   */
  wasAskedAfter(container: string, attempt: number): boolean;
}

/**
 * The record after a look at the runtime. Only forward: an ended attempt never runs again, and what the runtime does
 * not know (`unknown`) changes nothing. An attempt that the record does not know (a crash came between making it and
 * writing it down) is adopted. An attempt that the runtime no longer knows has ended with `ContainerStatusUnknown`
 * (Kubernetes `pkg/kubelet/kubelet_pods.go`).
 */
export function observe(record: PodRecord, plan: PlannedPod, seen: Observation): PodRecord {
  let next = observeContainers(record, plan, seen);
  const isNews = orphans(next, plan, seen.containers).some(({ containerName, attempt }) => {
    const { current } = containerRecord(next, containerName);
    return current?.attempt === attempt && !isLost(next, containerName, current);
  });
  if (isNews) next = { ...next, lost: newestAttempts(next) };
  return next;
}

/**
 * The containers that were found without the sandbox that their pod needs. When a pod is over, or comes to its end, its
 * sandbox may be gone.
 */
export function orphans(
  record: PodRecord,
  plan: PlannedPod,
  containers: readonly ObservedContainer[],
): ObservedContainer[] {
  const found = containers.filter(({ hasLostSandbox }) => hasLostSandbox === true);
  if (found.length === 0 || goesOn(record, plan)) return found;
  return found.filter(({ state }) => state === "running");
}

function goesOn(record: PodRecord, plan: PlannedPod): boolean {
  const { deletion, eviction, failed, sandboxStopped = false } = record;
  if ((deletion ?? eviction ?? failed) !== undefined || sandboxStopped) return false;
  return !progress(plan, record).finished;
}

function observeContainers(record: PodRecord, plan: PlannedPod, seen: Observation): PodRecord {
  let next = record;
  for (const { name } of plan.all) {
    const own = seen.containers
      .filter((container) => container.containerName === name)
      .sort((a, b) => a.attempt - b.attempt);
    next = withContainer(next, name, (container) =>
      observeContainer(container, own, name, seen, record.deletion !== undefined),
    );
  }
  return next;
}

function observeContainer(
  container: ContainerRecord,
  own: readonly ObservedContainer[],
  name: string,
  seen: Observation,
  deleting: boolean,
): ContainerRecord {
  let { current, previous } = container;
  for (const found of own) {
    if (current === undefined || found.attempt > current.attempt) {
      previous = current === undefined ? previous : ended(current, seen.now, deleting);
      current = advanced(adopted(found), found, seen.now);
    } else if (found.attempt === current.attempt) {
      current = advanced(current, found, seen.now);
    } else if (previous !== undefined && found.attempt === previous.attempt) {
      previous = advanced(previous, found, seen.now);
    }
  }
  if (
    current !== undefined &&
    current.state !== "exited" &&
    own.every((found) => found.attempt !== current?.attempt) &&
    seen.wasAskedAfter(name, current.attempt)
  ) {
    current = ended(current, seen.now, deleting);
  }
  if (current === container.current && previous === container.previous) return container;
  return { ...container, ...(current && { current }), ...(previous && { previous }) };
}

function adopted(found: ObservedContainer): Attempt {
  const { attempt, id, imageID = "" } = found;
  return { attempt, id, imageID, state: "created" };
}

/** What was seen, laid over what was known. Returns the same object when nothing is new. */
function advanced(attempt: Attempt, found: ObservedContainer, now: number): Attempt {
  if (attempt.state === "exited" || found.state === "unknown" || found.state === "created") {
    return attempt;
  }
  const startedAt = milliseconds(found.startedAt) ?? attempt.startedAt;
  if (found.state === "running") {
    if (attempt.state === "running") return attempt;
    return { ...attempt, state: "running", startedAt: startedAt ?? now };
  }
  const exitCode = found.exitCode ?? 137;
  const oom = found.oomKilled === true;
  const finishedAt = milliseconds(found.finishedAt) ?? now;
  return {
    ...attempt,
    state: "exited",
    exitCode,
    reason: found.reason ?? (oom ? "OOMKilled" : exitCode === 0 ? "Completed" : "Error"),
    ...(found.error && { message: found.error }),
    ...(startedAt !== undefined && { startedAt: Math.min(startedAt, finishedAt) }),
    finishedAt,
  };
}

function ended(attempt: Attempt, now: number, deleting: boolean): Attempt {
  if (attempt.state === "exited") return attempt;
  const message = deleting
    ? "The container could not be located when the pod was terminated"
    : "The container could not be located when the pod was deleted.  The container used to be Running";
  return {
    ...attempt,
    state: "exited",
    exitCode: 137,
    reason: "ContainerStatusUnknown",
    message,
    finishedAt: now,
  };
}

function milliseconds(time: string | undefined): number | undefined {
  const parsed = Date.parse(time ?? "");
  // Go's zero time is how engines say "not set".
  return Number.isFinite(parsed) && parsed > 0 ? parsed : undefined;
}
