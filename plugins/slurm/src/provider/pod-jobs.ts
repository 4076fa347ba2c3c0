import type { Clock } from "@interlink/plugin-sdk";
import type { RemotePodStatus } from "@interlink/protocol";
import type { Pod } from "kubernetes-types/core/v1.js";
import { PodJob } from "./pod-job.ts";
import type { SlurmRecord } from "./slurm-record.ts";

/** The jobs that this process knows, by the UID of their pods: as many as the store has. */
export class PodJobs {
  readonly #byUid = new Map<string, PodJob>();
  readonly #clock: Clock;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get(uid: string): PodJob | undefined {
    return this.#byUid.get(uid);
  }

  /** As they are now; what comes and goes later does not change the list. */
  list(): PodJob[] {
    return [...this.#byUid.values()];
  }

  /** `record` and `jobId` as they are written down. */
  remember(pod: Pod, record: SlurmRecord, jobId: string | undefined): PodJob {
    const job = new PodJob(pod, record, jobId, this.#clock.now());
    this.#byUid.set(job.uid, job);
    return job;
  }

  /** Only this one: the same pod may have come again. */
  forget(job: PodJob): void {
    if (this.#byUid.get(job.uid) === job) this.#byUid.delete(job.uid);
  }

  /** As it is now; `undefined`: there is none, as no job has come of the pod. */
  statusOf(job: PodJob): RemotePodStatus | undefined {
    if (job.isRefused && !job.deleting) return undefined;
    job.refresh(this.#clock.now());
    return job.status;
  }
}
