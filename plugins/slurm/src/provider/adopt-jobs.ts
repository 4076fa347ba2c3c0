import type { Clock, JobStore } from "@interlink/plugin-sdk";
import { DEFAULT_GRACE_SECONDS } from "./controller.ts";
import type { Observer } from "./observer.ts";
import type { PodJobs } from "./pod-jobs.ts";
import type { SlurmRecord } from "./slurm-record.ts";

/**
 * Takes over the jobs of an earlier life: what the store has, with what their records have told meanwhile. Events that an
 * earlier life has told are not told again. Throws what the store throws, and the signal's reason.
 */
export async function adoptJobs(
  { store, observer }: { store: JobStore<SlurmRecord>; observer: Observer },
  { jobs, clock }: { jobs: PodJobs; clock: Clock },
  signal: AbortSignal,
): Promise<void> {
  for (const { uid } of store.list()) {
    signal.throwIfAborted();
    const stored = store.get(uid);
    if (stored === undefined) continue;
    const { pod } = await store.data(uid);
    const job = jobs.remember(pod, stored.record, stored.jobId);
    job.deleting = stored.phase === "deleting";
    if (job.deleting && job.record.deletion === undefined) {
      const deletion = { requestedAt: clock.now(), graceSeconds: DEFAULT_GRACE_SECONDS };
      job.record = { ...job.record, deletion };
    }
    await observer.records(job, clock.now());
    job.newEvents(true);
    job.refresh(clock.now());
  }
}
