import type { JobStore } from "@interlink/plugin-sdk";
import type { Logger } from "pino";
import type { SlurmClient } from "../commands/slurm-client.ts";
import type { QueuedJob } from "../slurm/queue.ts";
import { endOfOther, isAlive } from "./choose-job.ts";
import type { PodJob } from "./pod-job.ts";
import type { SlurmRecord } from "./slurm-record.ts";

export interface StrayJobsOptions {
  store: Pick<JobStore<SlurmRecord>, "get" | "tombstone">;
  client: Pick<SlurmClient, "cancel" | "cancelWaiting">;
  logger: Logger;
}

/** Jobs that this plugin has submitted and that are to run no pod: nobody waits for their ends, the next look sees them. */
export class StrayJobs {
  readonly #options: StrayJobsOptions;
  /** Pods whose jobs were spoken of, and are still there. */
  #unknown: ReadonlySet<string> = new Set();

  constructor(options: StrayJobsOptions) {
    this.#options = options;
  }

  /** Of several jobs for one pod, only the one that claims it runs; the others are cancelled. */
  endOthers(
    job: PodJob,
    own: readonly QueuedJob[],
    chosen: QueuedJob,
    claimed: string | undefined,
  ): void {
    for (const other of own) {
      const how = other === chosen ? undefined : endOfOther(other, chosen, claimed);
      if (how === undefined) continue;
      this.#options.logger.error(
        { ...job.about, job: chosen.id, other: other.id },
        "a pod has two jobs; cancelling the second",
      );
      this.#cancel({ ...job.about, job: other.id }, how === "cancel-if-waiting");
    }
  }

  /**
   * Jobs by pods that were not here when Slurm was asked. Those of a pod that was deleted were accepted late, and are cancelled; without a
   * tombstone they are left for a person, who is told of them once.
   */
  endLate(byPod: ReadonlyMap<string, readonly QueuedJob[]>): void {
    const { store, logger } = this.#options;
    const unknown = new Set<string>();
    for (const [uid, left] of byPod) {
      const alive = left.filter(isAlive);
      // One that has come meanwhile is looked at the next time.
      if (alive.length === 0 || store.get(uid) !== undefined) continue;
      if (store.tombstone(uid) !== undefined) {
        for (const { id } of alive) this.#cancel({ uid, job: id });
        continue;
      }
      unknown.add(uid);
      if (this.#unknown.has(uid)) continue;
      const jobs = alive.map(({ id }) => id);
      logger.warn(
        { uid, jobs },
        "jobs of a pod that is not known here; cancel them by hand if nothing needs them",
      );
    }
    this.#unknown = unknown;
  }

  #cancel(about: { uid: string; job: string }, onlyIfWaiting = false): void {
    const { client, logger } = this.#options;
    const cancelling = onlyIfWaiting ? client.cancelWaiting(about.job) : client.cancel(about.job);
    cancelling.catch((error: unknown) => {
      logger.warn({ ...about, err: error }, "a job could not be cancelled");
    });
  }
}
