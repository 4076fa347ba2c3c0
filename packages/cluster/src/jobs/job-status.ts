import type { JobCondition, JobSpec, JobStatus } from "kubernetes-types/batch/v1.js";
import type { Pod } from "kubernetes-types/core/v1.js";
import type { Writable } from "../pods/defaults.ts";
import { indexOf, type PodTally, parseIndexes, type Verdict } from "./job-state.ts";

export type DraftStatus = Writable<JobStatus>;

/** Zero is written as nothing at all. */
export function setOrDrop(
  status: DraftStatus,
  field: "active" | "ready" | "terminating",
  value: number,
): void {
  const draft = status as Record<string, unknown>;
  if (value > 0) draft[field] = value;
  else delete draft[field];
}

export function hasCondition(status: JobStatus, type: string): boolean {
  return (status.conditions ?? []).some((item) => item.type === type && item.status === "True");
}

/** A verdict that was passed in an earlier step, while pods were still ending. */
export function pendingVerdict(status: JobStatus): Verdict | undefined {
  for (const [interim, type] of [
    ["FailureTarget", "Failed"],
    ["SuccessCriteriaMet", "Complete"],
  ] as const) {
    const found = (status.conditions ?? []).find(
      (item) => item.type === interim && item.status === "True",
    );
    if (found) return { type, reason: found.reason ?? "", message: found.message ?? "" };
  }
  return undefined;
}

export function addCondition(
  status: DraftStatus,
  type: string,
  reason: string,
  message: string,
  now: string,
): void {
  setCondition(status, type, "True", reason, message, now);
}

export function setCondition(
  status: DraftStatus,
  type: string,
  value: string,
  reason: string,
  message: string,
  now: string,
): void {
  const condition: Writable<JobCondition> = {
    type,
    status: value,
    lastProbeTime: now,
    lastTransitionTime: now,
    reason,
    message,
  };
  const others = (status.conditions ?? []).filter((item) => item.type !== type);
  status.conditions = [...others, condition];
}

export function freeIndexes(spec: JobSpec, status: JobStatus, tally: PodTally): number[] {
  const taken = parseIndexes(status.completedIndexes);
  for (const pod of [...tally.active, ...tally.terminating]) {
    const index = indexOf(pod);
    if (index !== undefined) taken.add(index);
  }
  const free: number[] = [];
  for (let index = 0; index < (spec.completions ?? 0); index += 1) {
    if (!taken.has(index)) free.push(index);
  }
  return free;
}

export function youngestFirst(a: Pod, b: Pod): number {
  const created = (pod: Pod): string => pod.metadata?.creationTimestamp ?? "";
  return created(b).localeCompare(created(a));
}

/** When the last container of a failed pod ended; 0 when nothing says so. */
export function finishedAt(pod: Pod): number {
  const times = (pod.status?.containerStatuses ?? []).map((item) =>
    Date.parse(item.state?.terminated?.finishedAt ?? ""),
  );
  return Math.max(0, ...times.filter((time) => !Number.isNaN(time)));
}
