import type { Job } from "kubernetes-types/batch/v1.js";
import type { Pod } from "kubernetes-types/core/v1.js";

/**
 * Whether a pod has ended, and the exit code that a shell should see: 0 when it succeeded, else the exit code of its
 * first failed container in spec order (init containers first), else 1.
 */
export function podOutcome(pod: Pod): { exitCode: number } | undefined {
  const phase = pod.status?.phase;
  if (phase === "Succeeded") return { exitCode: 0 };
  if (phase !== "Failed") return undefined;
  const statuses = [
    ...(pod.status?.initContainerStatuses ?? []),
    ...(pod.status?.containerStatuses ?? []),
  ];
  const failed = statuses.find(({ state }) => (state?.terminated?.exitCode ?? 0) !== 0);
  return { exitCode: failed?.state?.terminated?.exitCode ?? 1 };
}

/** Whether a Job has ended; 0 when complete, 1 when failed. */
export function jobOutcome(job: Job): { exitCode: number } | undefined {
  const ended = (type: string) =>
    job.status?.conditions?.some(
      (condition) => condition.type === type && condition.status === "True",
    );
  if (ended("Complete")) return { exitCode: 0 };
  return ended("Failed") ? { exitCode: 1 } : undefined;
}

/** The exit code of several: the first that is not 0. `undefined` while any is still going on. */
export function combinedExitCode(
  outcomes: readonly ({ exitCode: number } | undefined)[],
): number | undefined {
  let first = 0;
  for (const outcome of outcomes) {
    if (outcome === undefined) return undefined;
    if (first === 0) first = outcome.exitCode;
  }
  return first;
}
