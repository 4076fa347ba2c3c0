import type { QueuedJob } from "../slurm/queue.ts";

/** What is known of a pod whose jobs Slurm has told. */
export interface JobChoice {
  /** As it was written down. */
  jobId: string | undefined;
  /** The job that has claimed the pod's directory: no other one ever runs the pod. */
  claimed: string | undefined;
}

/** Whether it takes a look at the claim to know which of these jobs is the pod's. */
export function needsClaim(own: readonly QueuedJob[], jobId: string | undefined): boolean {
  return own.length > 1 || own.some(({ id }) => jobId !== undefined && id !== jobId);
}

/**
 * The pod's one job among those that carry its name: an sbatch that nobody waited for any more may have been heard after
 * all. The one that has claimed the pod; else the one that was written down, unless it has ended without running
 * anything and another one has not; else the first. `undefined`: it is not among them.
 */
export function chooseJob(
  own: readonly QueuedJob[],
  { jobId, claimed }: JobChoice,
): QueuedJob | undefined {
  const byId = own.toSorted((a, b) => Number(a.id) - Number(b.id));
  const claiming = byId.find(({ id }) => id === claimed);
  if (claiming !== undefined) return claiming;
  const recorded = byId.find(({ id }) => id === jobId);
  if (recorded !== undefined && isAlive(recorded)) return recorded;
  return byId.find(isAlive) ?? recorded ?? (jobId === undefined ? byId[0] : undefined);
}

/** How a job that is not the pod's is to end; `undefined`: by itself, as it finds the pod claimed. */
export function endOfOther(
  other: QueuedJob,
  chosen: QueuedJob,
  claimed: string | undefined,
): "cancel" | "cancel-if-waiting" | undefined {
  if (!isAlive(other)) return undefined;
  // It may begin, and claim the pod, before the cancel arrives.
  if (claimed !== chosen.id) return other.stage === "waiting" ? "cancel-if-waiting" : undefined;
  return "cancel";
}

/** Slurm does not say that it is over: it may still begin, or run. */
export function isAlive({ stage }: QueuedJob): boolean {
  return stage !== "ended" && stage !== "ending";
}
