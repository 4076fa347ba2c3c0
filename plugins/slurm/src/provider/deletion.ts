import type { JobStage } from "../slurm/job-state.ts";

/** What is known of a job that is to go. Times are milliseconds since the epoch. */
export interface DeletionView {
  /** `undefined`: it may have none. */
  jobId: string | undefined;
  /** Slurm was asked after the delete, and after the last try to submit, and knows no job of this pod. */
  isUnknown: boolean;
  stage: JobStage | undefined;
  requestedAt: number;
  graceSeconds: number;
  sent: { terminate?: number; kill?: number; cancel?: number };
  now: number;
}

/**
 * What is done about a delete next: `look` and `wait` do nothing until more is known or time has passed, `terminate` and
 * `kill` are for the job's script alone, `gone` is when nothing of the job is left at Slurm.
 */
export type DeletionStep = "look" | "terminate" | "kill" | "cancel" | "wait" | "gone";

/** The script has these many milliseconds beyond what is left of the grace period to write down the end. */
const MARGIN_MS = 5000;
/** A cancel is sent again after these many milliseconds. */
const AGAIN_MS = 30_000;

/**
 * The next step of a delete. A queued job is cancelled at once; the script of a running one is told to end its pod, which
 * runs preStop hooks and keeps the grace period whatever Slurm's own KillWait is; only then the job is cancelled.
 */
export function deletionStep(view: DeletionView): DeletionStep {
  const { jobId, stage, sent, now } = view;
  if (view.isUnknown || stage === "ended") return "gone";
  if (jobId === undefined || stage === undefined) return "look";
  const isRunning = stage === "running";
  if (isRunning && sent.cancel === undefined) {
    // Late as it may be, the script ends the pod better than Slurm does.
    if (sent.terminate === undefined) return "terminate";
    const left = graceLeft(view, sent.terminate);
    if (now < sent.terminate + left * 1000 + MARGIN_MS) return "wait";
    if (sent.kill === undefined) return "kill";
    if (now < sent.kill + MARGIN_MS) return "wait";
  }
  return sent.cancel === undefined || now >= sent.cancel + AGAIN_MS ? "cancel" : "wait";
}

/** Seconds of the grace period that are left at `at`, never less than none. */
export function graceLeft(
  { requestedAt, graceSeconds }: Pick<DeletionView, "requestedAt" | "graceSeconds">,
  at: number,
): number {
  return Math.max(0, Math.ceil((requestedAt + graceSeconds * 1000 - at) / 1000));
}
