import { type Checkpoint, type Clock, type JobStore, PluginError } from "@interlink/plugin-sdk";
import type { CreateAnswer, RetrievedPodData } from "@interlink/protocol";
import type { Logger } from "pino";
import type { PlannedJob } from "../pods/plan-job.ts";
import type { ControllerSettings } from "../slurm/controller-settings.ts";
import type { Announcer } from "./announcer.ts";
import type { Background } from "./background.ts";
import { DEFAULT_GRACE_SECONDS, killWaitWarning } from "./controller.ts";
import type { Observer } from "./observer.ts";
import type { PodJob } from "./pod-job.ts";
import type { PodJobs } from "./pod-jobs.ts";
import type { SlurmRecord } from "./slurm-record.ts";
import { asPluginError, type Submitter } from "./submitter.ts";

export interface CreatorOptions {
  store: JobStore<SlurmRecord>;
  jobs: PodJobs;
  submitter: Submitter;
  observer: Observer;
  announcer: Announcer;
  controller: ControllerSettings;
  /** Throws as `planJob` does. */
  plan: (data: RetrievedPodData) => PlannedJob;
  clock: Clock;
  logger: Logger;
  checkpoint: (step: Checkpoint) => void;
  background: Background;
  /** Something of this job is known anew. */
  changed: (job: PodJob) => void;
  /** Slurm is to be asked now. */
  look: () => void;
}

/** Takes pods in: written down first, then submitted, one submission of a pod at a time, however often it is created. */
export class Creator {
  readonly #options: CreatorOptions;

  constructor(options: CreatorOptions) {
    this.#options = options;
  }

  /** Resolves when Slurm has the job and that is written down. Throws `PluginError`. */
  async create(data: RetrievedPodData, signal: AbortSignal): Promise<CreateAnswer> {
    const { store, jobs, submitter, observer, clock, checkpoint } = this.#options;
    const uid = data.pod.metadata?.uid ?? "";
    const known = jobs.get(uid);
    if (known?.deleting === false && known.jobId !== undefined) {
      return { PodUID: uid, PodJID: known.jobId };
    }
    if (known?.submission !== undefined) return { PodUID: uid, PodJID: await known.submission };
    const plan = this.#options.plan(data);
    const user = await submitter.user(plan.uid);
    signal.throwIfAborted();
    const { job: stored, created } = await store.create(data);
    if (stored.phase === "deleting") {
      throw new PluginError("conflict", `The pod ${uid} is being deleted; it does not run again.`);
    }
    const job = jobs.get(uid) ?? jobs.remember(data.pod, stored.record, stored.jobId);
    checkpoint("create.intent-written");
    // From now on it has a status, if only that it waits.
    if (created) observer.begin(job, clock.now());
    else await observer.records(job, clock.now());
    if (job.jobId !== undefined) return { PodUID: uid, PodJID: job.jobId };
    if (user !== undefined && job.record.user === undefined) {
      const owner = { uid: user.uid, name: user.name };
      job.record = { ...job.record, user: owner };
      await store.update(uid, ({ record }) => ({ record: { ...record, user: owner } }));
    }
    // A second create of the same pod, at the same time, waits for the first.
    job.submission ??= this.#submission(job, () => submitter.submit(job, plan, user, !created));
    const PodJID = await job.submission;
    this.#warn(job, plan);
    return { PodUID: uid, PodJID };
  }

  /** Of an earlier life, which may have submitted it, or not; its create may have been answered by no one. */
  submitAgain(job: PodJob): void {
    if (job.jobId !== undefined || job.deleting || job.isRefused) return;
    const { store, submitter, logger } = this.#options;
    job.submission ??= this.#submission(job, async () => {
      const plan = this.#options.plan(await store.data(job.uid));
      return submitter.submit(job, plan, await submitter.user(plan.uid), true);
    });
    job.submission.catch((error: unknown) => {
      logger.warn({ ...job.about, err: error }, "a pod could not be submitted again");
    });
  }

  #warn(job: PodJob, plan: PlannedJob): void {
    const { announcer, controller } = this.#options;
    for (const message of plan.warnings) announcer.event(job, "Warning", "UnknownFlavor", message);
    const { terminationGracePeriodSeconds = DEFAULT_GRACE_SECONDS } = job.pod.spec ?? {};
    const short = killWaitWarning(controller, terminationGracePeriodSeconds);
    if (short !== undefined) announcer.event(job, "Warning", "ShortKillWait", short);
  }

  #submission(job: PodJob, submit: () => Promise<string>): Promise<string> {
    const { announcer, background, changed, look } = this.#options;
    const submitted = submit().then(
      (jobId) => {
        const message = `Submitted as Slurm job ${jobId}`;
        announcer.event(job, "Normal", "SlurmJobSubmitted", message);
        return jobId;
      },
      (error: unknown) => {
        throw asPluginError(error);
      },
    );
    const running = submitted.finally(() => {
      job.submission = undefined;
      changed(job);
      look();
    });
    background.keep(running);
    return running;
  }
}
