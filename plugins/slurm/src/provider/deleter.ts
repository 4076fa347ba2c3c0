import { type Checkpoint, type Clock, isSystemError, type JobStore } from "@interlink/plugin-sdk";
import type { Logger } from "pino";
import type { SlurmClient } from "../commands/slurm-client.ts";
import { deletionStep, graceLeft } from "./deletion.ts";
import type { JobFiles } from "./job-files.ts";
import type { PodJob } from "./pod-job.ts";
import type { SlurmRecord } from "./slurm-record.ts";

export interface DeleterOptions {
  store: JobStore<SlurmRecord>;
  files: JobFiles;
  client: SlurmClient;
  clock: Clock;
  logger: Logger;
  checkpoint: (step: Checkpoint) => void;
  /** Slurm is to be asked now. */
  look: () => void;
  /** Reads the records a last time. */
  lastLook: (job: PodJob) => Promise<void>;
  /** Nothing of it is left here. */
  gone: (job: PodJob) => void;
}

const MOST_REST_MS = 30_000;

/** Carries out deletes: written down first, repeated until Slurm confirms, records kept until then. */
export class Deleter {
  readonly #options: DeleterOptions;

  constructor(options: DeleterOptions) {
    this.#options = options;
  }

  /** Resolves when it is written down. A later delete can bring the end nearer, never push it off. */
  async request(job: PodJob, graceSeconds: number): Promise<void> {
    const { store, clock, checkpoint } = this.#options;
    const before = job.record.deletion;
    const asked = { requestedAt: clock.now(), graceSeconds };
    const isEarlier = before === undefined || deadlineOf(asked) < deadlineOf(before);
    const deletion = isEarlier ? asked : before;
    if (isEarlier) job.sent = {};
    // Before anything else: a submission that has not begun does not begin any more.
    job.deleting = true;
    job.record = { ...job.record, deletion };
    await store.update(job.uid, ({ record }) => ({
      phase: "deleting",
      record: { ...record, deletion },
    }));
    checkpoint("delete.intent-written");
  }

  /** Makes the next step, if it is time for one. Never throws: what failed is tried again. */
  async advance(job: PodJob): Promise<void> {
    const { logger, clock } = this.#options;
    if (job.isBusy || job.submission !== undefined || clock.now() < job.restsUntil) return;
    job.isBusy = true;
    try {
      await this.#step(job);
      job.failedSteps = 0;
    } catch (error) {
      logger.warn({ ...job.about, err: error }, "a delete did not get on; again");
      job.failedSteps++;
      job.restsUntil =
        clock.now() + Math.min(MOST_REST_MS, 500 * 2 ** Math.min(job.failedSteps, 8));
    } finally {
      job.isBusy = false;
    }
  }

  async #step(job: PodJob): Promise<void> {
    const { client, clock, look, checkpoint } = this.#options;
    const now = clock.now();
    const { requestedAt, graceSeconds } = job.record.deletion ?? {
      requestedAt: now,
      graceSeconds: 0,
    };
    const step = deletionStep({
      jobId: job.jobId,
      isUnknown: job.isRefused || job.isOver || (job.jobId === undefined && job.missing > 0),
      stage: job.queued?.stage,
      requestedAt,
      graceSeconds,
      sent: job.sent,
      now,
    });
    const id = job.jobId ?? "";
    const left = graceLeft({ requestedAt, graceSeconds }, now);
    switch (step) {
      case "wait":
      case "look":
        return;
      case "terminate":
        await this.#tellGrace(job, left);
        await client.terminate(id);
        job.sent = { ...job.sent, terminate: now };
        checkpoint("delete.stop-sent");
        look();
        return;
      case "kill":
        // Whatever comes of it, the job is cancelled next.
        job.sent = { ...job.sent, kill: now };
        await client.kill(id);
        look();
        return;
      case "cancel":
        // It may have begun since Slurm was asked; its script then hears of the cancel.
        await this.#tellGrace(job, left);
        await client.cancel(id);
        job.sent = { ...job.sent, cancel: now };
        checkpoint("delete.stop-sent");
        look();
        return;
      case "gone":
        await this.#remove(job);
    }
  }

  /** On a full disk nothing can be told, and only deletes make space: the pod then ends by the grace period of its own. */
  async #tellGrace(job: PodJob, seconds: number): Promise<void> {
    const { files, logger } = this.#options;
    try {
      await files.grace(job.uid, seconds, job.record.user?.uid);
    } catch (error) {
      if (!isSystemError(error)) throw error;
      logger.warn({ ...job.about, err: error }, "a job could not be told its grace period");
    }
  }

  async #remove(job: PodJob): Promise<void> {
    const { store, files, clock, logger, checkpoint, gone, lastLook } = this.#options;
    checkpoint("delete.containers-ended");
    await lastLook(job);
    const end = job.record.end ?? job.ending?.details;
    if (end !== undefined) job.record = { ...job.record, end };
    job.refresh(clock.now());
    const { status } = job;
    await files.remove(job.uid);
    checkpoint("delete.sandbox-removed");
    await store.remove(job.uid, status);
    checkpoint("delete.tombstoned");
    logger.info(job.about, "deleted");
    gone(job);
  }
}

function deadlineOf(deletion: { requestedAt: number; graceSeconds: number }): number {
  return deletion.requestedAt + deletion.graceSeconds * 1000;
}
