import { type JobStore, Limit, noBatchRecords, readBatchRecords } from "@interlink/plugin-sdk";
import type { Pod } from "kubernetes-types/core/v1.js";
import type { Logger } from "pino";
import type { SlurmClient } from "../commands/slurm-client.ts";
import type { ControllerSettings } from "../slurm/controller-settings.ts";
import type { JobDetails } from "../slurm/job-details.ts";
import { jobStage } from "../slurm/job-state.ts";
import type { QueuedJob } from "../slurm/queue.ts";
import { chooseJob, needsClaim } from "./choose-job.ts";
import { podOfComment } from "./identity.ts";
import type { JobFiles } from "./job-files.ts";
import { lastOutput } from "./last-output.ts";
import type { PodJob } from "./pod-job.ts";
import type { SlurmRecord } from "./slurm-record.ts";
import { StrayJobs } from "./stray-jobs.ts";

export interface ObserverOptions {
  store: JobStore<SlurmRecord>;
  files: Pick<JobFiles, "claim" | "directory" | "jobLog" | "stamps">;
  client: Pick<SlurmClient, "accounting" | "cancel" | "cancelWaiting" | "job">;
  controller: ControllerSettings;
  /** Asks for what `controller` holds, if that is not known yet. */
  learn: () => Promise<void>;
  instance: string;
  /** The pod as its job runs it; default: whole. */
  asRun?: (pod: Pod) => Pod;
  logger: Logger;
  /** Something of this job is known anew. */
  changed: (job: PodJob) => void;
}

/** A file system that compute nodes share may show their last writes this much later. */
const RECORDS_LAG_MS = 5000;
/** Answers without a job that Slurm had, before it counts as gone. */
const MISSING_ENOUGH = 2;

/** Jobs that accounting is asked for by one command. */
const MOST_AT_ONCE = 500;

/** Takes in what Slurm and the records tell, job by job. Nothing here guesses: what failed is asked again. */
export class Observer {
  readonly #options: ObserverOptions;
  readonly #strays: StrayJobs;
  readonly #reads = new Limit(32);
  /** A look at the records, once begun, looks at all. */
  readonly #lasting = new AbortController().signal;

  constructor(options: ObserverOptions) {
    this.#options = options;
    this.#strays = new StrayJobs(options);
  }

  /** Slurm's answer to the one question for all jobs, asked at `askedAt` (milliseconds since the epoch). */
  async queue(
    jobs: readonly PodJob[],
    queue: readonly QueuedJob[],
    askedAt: number,
    now: number,
  ): Promise<void> {
    const { instance } = this.#options;
    const byPod = new Map<string, QueuedJob[]>();
    for (const queued of queue) {
      const uid = podOfComment(instance, queued.comment);
      if (uid !== undefined) byPod.set(uid, [...(byPod.get(uid) ?? []), queued]);
    }
    const unclear: PodJob[] = [];
    for (const job of jobs) {
      const own = byPod.get(job.uid) ?? [];
      byPod.delete(job.uid);
      if (job.isOver || job.isRefused) continue;
      try {
        if (await this.#one(job, own, askedAt, now)) unclear.push(job);
      } catch (error) {
        this.#options.logger.warn({ ...job.about, err: error }, "a job's state was not taken in");
      }
    }
    await this.#lookUp(unclear, now);
    this.#strays.endLate(byPod);
  }

  /** Of a pod that has just arrived: its job cannot have begun. */
  begin(job: PodJob, now: number): void {
    job.records ??= noBatchRecords(
      { containers: [], pod: this.#asRun(job.pod) },
      { now, runtimeType: "slurm" },
    );
    this.#options.changed(job);
  }

  /** Reads the records of those jobs that have changed, asking once whether they have; gives these jobs. */
  async look(jobs: readonly PodJob[], now: number): Promise<PodJob[]> {
    const open = jobs.filter((job) => !job.isRefused && !(job.isOver && job.records !== undefined));
    const stamps = await this.#options.files.stamps(open.map(({ uid }) => uid));
    const due = open.flatMap((job, index) => {
      const stamp = stamps[index] ?? "";
      const isSame = job.records !== undefined && job.stamp === stamp && job.ending === undefined;
      return isSame ? [] : [{ job, stamp }];
    });
    await Promise.all(
      due.map(({ job, stamp }) =>
        this.#reads.run(this.#lasting, () => this.records(job, now, stamp)),
      ),
    );
    return due.map(({ job }) => job);
  }

  /** Reads the records if they have changed: if they have another stamp than the last time. */
  async records(job: PodJob, now: number, given?: string): Promise<void> {
    const { files, changed, logger } = this.#options;
    if (job.isOver && job.records !== undefined) return;
    try {
      const stamp = given ?? (await files.stamps([job.uid]))[0] ?? "";
      // A file system of several machines may show an old stamp for a minute, but opens a file as it is.
      const mayBeOld = job.ending !== undefined && job.records?.finishedAt === undefined;
      if (job.records === undefined || stamp !== job.stamp || mayBeOld) {
        const directory = files.directory(job.uid);
        const { pod } = job;
        const records = await readBatchRecords(
          directory,
          { containers: [], pod: this.#asRun(pod) },
          { now, runtimeType: "slurm" },
        );
        // An update has come meanwhile; whoever has brought it reads them too.
        if (job.pod !== pod) return;
        job.records = records;
        job.stamp = stamp;
        job.recordsAt = now;
        changed(job);
      }
      if (job.ending !== undefined && !job.isFinishing) {
        job.isFinishing = true;
        try {
          await this.#finish(job, now);
        } finally {
          job.isFinishing = false;
        }
      }
      job.unreadable = undefined;
    } catch (error) {
      const { message } = error as Error;
      // Every second it is tried again, and said when it is new.
      if (job.unreadable !== message) {
        logger.warn(
          { ...job.about, err: error },
          "the records of a job cannot be read; what is known of it stays until they can",
        );
      }
      job.unreadable = message;
      // Not knowing what it has done is no reason to leave a pod out of the answer.
      job.records ??= noBatchRecords(
        { containers: [], pod: this.#asRun(job.pod) },
        { now, runtimeType: "slurm" },
      );
    }
  }

  /** What records mean depends on what the site takes of a pod. */
  #asRun(pod: Pod): Pod {
    return this.#options.asRun?.(pod) ?? pod;
  }

  /** Gives whether more must be asked about it: Slurm's queue does not have it any more, or not who cancelled it. */
  async #one(
    job: PodJob,
    own: readonly QueuedJob[],
    askedAt: number,
    now: number,
  ): Promise<boolean> {
    const { files, store, changed, controller, logger } = this.#options;
    const claimed = needsClaim(own, job.jobId) ? await files.claim(job.uid) : undefined;
    const chosen = chooseJob(own, { jobId: job.jobId, claimed });
    if (chosen === undefined) {
      if (job.submission !== undefined || askedAt <= job.submittedAt) return false;
      job.missing++;
      return job.jobId !== undefined && job.missing >= MISSING_ENOUGH;
    }
    job.missing = 0;
    if (job.jobId !== chosen.id && job.submission === undefined) {
      const jobId = chosen.id;
      await store.update(job.uid, () => ({ phase: "submitted", jobId }));
      job.jobId = jobId;
      job.sent = {};
      logger.info(job.about, "found the job of a pod that was being submitted");
    }
    // What a submission under way is about to be told must not be cancelled before.
    if (job.submission === undefined) this.#strays.endOthers(job, own, chosen, claimed);
    job.queued = chosen;
    job.queuedAt = askedAt;
    if (chosen.stage === "ended") {
      const isCancelled = chosen.state === "CANCELLED" && !job.deleting;
      if (isCancelled && controller.hasAccounting && job.ending === undefined) return true;
      job.ending ??= { details: endDetails(chosen), seenAt: now };
    } else if (chosen.stage !== "ending") {
      // Put back into the queue.
      job.ending = undefined;
    }
    changed(job);
    return false;
  }

  /** What do accounting, asked once for all of them, and the controller say of jobs that the queue does not tell enough of? */
  async #lookUp(unclear: readonly PodJob[], now: number): Promise<void> {
    const { client, controller, learn, changed, logger } = this.#options;
    if (unclear.length > 0) await learn();
    const accounted = new Map<string, JobDetails>();
    let failure: unknown;
    for (let from = 0; controller.hasAccounting && from < unclear.length; from += MOST_AT_ONCE) {
      const ids = unclear.slice(from, from + MOST_AT_ONCE).flatMap(({ jobId }) => jobId ?? []);
      try {
        for (const one of await client.accounting({ ids })) accounted.set(one.id, one);
      } catch (error) {
        failure = error;
        logger.warn({ err: error, jobs: ids.length }, "accounting did not answer");
      }
    }
    for (const job of unclear) {
      const id = job.jobId ?? "";
      try {
        const told = accounted.get(id);
        // It may know of the end later than the queue does.
        const ended = told !== undefined && jobStage(told.state) === "ended" ? told : undefined;
        const { queued } = job;
        const isQueued = job.missing === 0 && queued?.stage === "ended";
        const details = ended ?? (isQueued ? endDetails(queued) : await client.job(id));
        if (details !== undefined && jobStage(details.state) !== "ended") continue;
        if (details !== undefined) job.ending ??= { details, seenAt: now };
        else if (failure === undefined) await this.#end(job, "lost");
        changed(job);
      } catch (error) {
        logger.warn({ ...job.about, err: error }, "a job could not be looked up");
      }
    }
  }

  /** The job has ended: with its last records, or with none when they do not come. */
  async #finish(job: PodJob, now: number): Promise<void> {
    const { client, logger } = this.#options;
    const { ending, records } = job;
    if (ending === undefined || job.isOver) return;
    const isRecorded = records?.finishedAt !== undefined;
    if (!isRecorded && now < ending.seenAt + RECORDS_LAG_MS) return;
    let { details } = ending;
    if (!isRecorded && details.code === undefined && details.state !== "COMPLETED") {
      try {
        details = { ...details, ...(await client.job(details.id)) };
      } catch (error) {
        logger.info({ ...job.about, err: error }, "no details of an ended job");
      }
    }
    const said = records?.startedAt === undefined ? await this.#said(job) : undefined;
    await this.#end(job, { ...details, ...(said !== undefined && { said }) });
  }

  /** Why a job ended that never began its pod is in its own output: what the site's shell text or the machine say. */
  async #said({ uid, about }: PodJob): Promise<string | undefined> {
    const { files, logger } = this.#options;
    try {
      return await lastOutput(files.jobLog(uid));
    } catch (error) {
      logger.info({ ...about, err: error }, "the output of a job could not be read");
      return undefined;
    }
  }

  async #end(job: PodJob, end: JobDetails | "lost"): Promise<void> {
    const { store, changed, logger } = this.#options;
    job.record = { ...job.record, end };
    try {
      await store.update(job.uid, ({ record }) => ({ record: { ...record, end } }));
    } catch (error) {
      // Told nevertheless. A later life of the plugin asks Slurm again.
      logger.warn({ ...job.about, err: error }, "the end of a job could not be written down");
    }
    logger.info({ ...job.about, state: end === "lost" ? end : end.state }, "the job has ended");
    changed(job);
  }
}

/** The end of a job as the queue tells it. */
function endDetails({ id, state, reason, startAt, endAt, nodes }: QueuedJob): JobDetails {
  return {
    id,
    state,
    reason,
    ...(startAt !== undefined && { startAt }),
    ...(endAt !== undefined && { endAt }),
    node: nodes,
  };
}
