import type { Job, JobSpec } from "kubernetes-types/batch/v1.js";
import type { Pod } from "kubernetes-types/core/v1.js";

/** The pods of a job, sorted by what they mean to it. */
export interface PodTally {
  /** Not finished and not on their way out. */
  readonly active: readonly Pod[];
  /** On their way out, not finished. */
  readonly terminating: readonly Pod[];
  /** Finished well or badly and not yet counted in the status (they still carry the finalizer). */
  readonly newlySucceeded: readonly Pod[];
  readonly newlyFailed: readonly Pod[];
  readonly ready: number;
}

export const trackingFinalizer = "batch.kubernetes.io/job-tracking";
export const indexAnnotation = "batch.kubernetes.io/job-completion-index";

export function tallyPods(pods: readonly Pod[], spec: JobSpec): PodTally {
  const active: Pod[] = [];
  const terminating: Pod[] = [];
  const newlySucceeded: Pod[] = [];
  const newlyFailed: Pod[] = [];
  let ready = 0;
  const onlyFailedCount = spec.podReplacementPolicy === "Failed";
  for (const pod of pods) {
    const phase = pod.status?.phase;
    const counted = !(pod.metadata?.finalizers ?? []).includes(trackingFinalizer);
    const leaving = pod.metadata?.deletionTimestamp !== undefined;
    if (phase === "Succeeded") {
      if (!counted) newlySucceeded.push(pod);
    } else if (phase === "Failed") {
      if (!counted) newlyFailed.push(pod);
    } else if (leaving) {
      terminating.push(pod);
      // A pod that is deleted before it ends has failed, unless only pods that really failed are replaced.
      if (!counted && !onlyFailedCount) newlyFailed.push(pod);
    } else {
      active.push(pod);
      const isReady = (pod.status?.conditions ?? []).some(
        (item) => item.type === "Ready" && item.status === "True",
      );
      if (isReady) ready += 1;
    }
  }
  return { active, terminating, newlySucceeded, newlyFailed, ready };
}

export interface Verdict {
  readonly type: "Complete" | "Failed";
  readonly reason: string;
  readonly message: string;
}

export interface JobFacts {
  readonly succeeded: number;
  readonly failed: number;
  readonly hasNewFailure: boolean;
  readonly active: readonly Pod[];
  readonly runningMs: number;
}

function restarts(pods: readonly Pod[]): number {
  let total = 0;
  for (const pod of pods) {
    const statuses = [
      ...(pod.status?.initContainerStatuses ?? []),
      ...(pod.status?.containerStatuses ?? []),
    ];
    for (const status of statuses) total += status.restartCount;
  }
  return total;
}

/** Whether the job is over, and how (`syncJob`): too many failures, too long, or enough successes. */
export function judge(spec: JobSpec, facts: JobFacts): Verdict | undefined {
  const limit = spec.backoffLimit ?? 6;
  const onFailure = spec.template.spec?.restartPolicy === "OnFailure";
  const count = onFailure ? restarts(facts.active) : 0;
  const tooManyRestarts = onFailure && (limit === 0 ? count > 0 : count >= limit);
  if ((facts.hasNewFailure && facts.failed > limit) || tooManyRestarts) {
    return {
      type: "Failed",
      reason: "BackoffLimitExceeded",
      message: "Job has reached the specified backoff limit",
    };
  }
  const deadline = spec.activeDeadlineSeconds;
  if (deadline !== undefined && !spec.suspend && facts.runningMs >= deadline * 1000) {
    return {
      type: "Failed",
      reason: "DeadlineExceeded",
      message: "Job was active longer than specified deadline",
    };
  }
  const enough =
    spec.completions === undefined
      ? facts.succeeded > 0 && facts.active.length === 0
      : facts.succeeded >= spec.completions;
  return enough
    ? {
        type: "Complete",
        reason: "CompletionsReached",
        message: "Reached expected number of succeeded pods",
      }
    : undefined;
}

/** How many pods should be active now. */
export function wantedActive(
  spec: JobSpec,
  succeeded: number,
  active: number,
  terminating: number,
): number {
  if (spec.suspend) return 0;
  const parallelism = spec.parallelism ?? 1;
  const waitFor = spec.podReplacementPolicy === "Failed" ? terminating : 0;
  if (spec.completions === undefined) {
    // A work queue: once one pod has succeeded no new ones start.
    return succeeded > 0 ? Math.min(active, parallelism) : Math.max(parallelism - waitFor, 0);
  }
  return Math.max(Math.min(parallelism, spec.completions - succeeded) - waitFor, 0);
}

const maxBackoffMs = 10 * 60_000;

/** How long to wait after the last of some failures in a row before the next pod. */
export function backoffMs(failuresInARow: number, baseMs: number): number {
  return failuresInARow <= 0 ? 0 : Math.min(baseMs * 2 ** (failuresInARow - 1), maxBackoffMs);
}

export function finishedCondition(job: Job): Verdict["type"] | undefined {
  for (const type of ["Complete", "Failed"] as const) {
    const found = (job.status?.conditions ?? []).some(
      (item) => item.type === type && item.status === "True",
    );
    if (found) return type;
  }
  return undefined;
}

/** `0-2,4`: the indexes of an Indexed job, as the status writes them. */
export function formatIndexes(indexes: Iterable<number>): string {
  const sorted = [...new Set(indexes)].sort((a, b) => a - b);
  const parts: string[] = [];
  for (let at = 0; at < sorted.length; at += 1) {
    const first = sorted[at] ?? 0;
    let last = first;
    while (sorted[at + 1] === last + 1) {
      at += 1;
      last += 1;
    }
    parts.push(first === last ? `${first}` : `${first}-${last}`);
  }
  return parts.join(",");
}

export function parseIndexes(text: string | undefined): Set<number> {
  const indexes = new Set<number>();
  for (const part of (text ?? "").split(",").filter((item) => item !== "")) {
    const [first = 0, last = first] = part.split("-").map(Number);
    for (let index = first; index <= last; index += 1) indexes.add(index);
  }
  return indexes;
}

export function indexOf(pod: Pod): number | undefined {
  const text = pod.metadata?.annotations?.[indexAnnotation];
  return text === undefined ? undefined : Number(text);
}
