import {
  type Clock,
  encodeBatchUpdate,
  type JobStore,
  KeyedQueue,
  PluginError,
  updatedData,
} from "@interlink/plugin-sdk";
import { allContainers, type RetrievedPodData } from "@interlink/protocol";
import type { Pod } from "kubernetes-types/core/v1.js";
import type { Logger } from "pino";
import { askingEnvironment } from "../commands/environment.ts";
import { runProgram } from "../commands/run-program.ts";
import type { SlurmClient } from "../commands/slurm-client.ts";
import type { SlurmSettings } from "../config/slurm-config.ts";
import type { PlannedJob } from "../pods/plan-job.ts";
import type { JobFiles } from "./job-files.ts";
import type { Observer } from "./observer.ts";
import type { PodJob } from "./pod-job.ts";
import type { SlurmRecord } from "./slurm-record.ts";

export interface UpdaterOptions {
  store: JobStore<SlurmRecord>;
  files: JobFiles;
  client: SlurmClient;
  observer: Observer;
  settings: SlurmSettings;
  clock: Clock;
  logger: Logger;
  env: Readonly<Record<string, string | undefined>>;
  /** Throws as `planJob` does. */
  plan: (data: RetrievedPodData) => PlannedJob;
  /** Containers of these images are about to start in a job that runs. */
  pull: (job: PodJob, plan: PlannedJob) => void;
}

/** Of the program that brings the files to what they are to be. */
const DEADLINE_MS = 60_000;

/**
 * Brings what changes of a pod to its job, on a shared file system. The files are changed by the job's user and by the job's own
 * script, one update of a pod at a time; the record comes last: after a crash in between the old word is told, and the
 * node sends it again.
 */
export class Updater {
  readonly #options: UpdaterOptions;
  readonly #queue = new KeyedQueue();

  constructor(options: UpdaterOptions) {
    this.#options = options;
  }

  /** Resolves when it is in place and durable. Throws `PluginError`. */
  update(job: PodJob, data: RetrievedPodData, signal: AbortSignal): Promise<void> {
    if (!this.#options.settings.sharedFileSystem) {
      return Promise.reject(
        new PluginError(
          "rejected",
          "The pod was packed into its job's script (SharedFileSystem is off), so later changes do not reach it. Delete the pod and create it again.",
        ),
      );
    }
    return this.#queue.run(job.uid, () => this.#update(job, data, signal));
  }

  /** Updates that were begun are brought to their end. */
  close(): Promise<void> {
    return this.#queue.idle();
  }

  async #update(job: PodJob, update: RetrievedPodData, signal: AbortSignal): Promise<void> {
    const { store, files, observer, clock, plan: planOf, pull, settings } = this.#options;
    const { uid } = job;
    // What becomes of it is told to whoever creates the pod.
    await job.submission?.catch(() => undefined);
    await observer.records(job, clock.now());
    if (isSettled(job)) return;
    if (job.jobId === undefined) {
      throw new PluginError("unavailable", "The pod has not been submitted to Slurm yet.");
    }
    signal.throwIfAborted();
    const data = updatedData(await store.data(uid), update);
    const plan = planOf(data);
    const hasNews = await this.#write(job, plan);
    if (store.get(uid) === undefined) {
      // Deleted meanwhile; what was written may have come after that.
      await files.remove(uid);
      return;
    }
    await store.replaceData(uid, data);
    const isToBegin = madeOf(job.pod) !== madeOf(data.pod);
    job.exchangePod(data.pod);
    await observer.records(job, clock.now());
    if (isToBegin && settings.pullsBefore) pull(job, plan);
    if (isToBegin && hasNews && job.records?.startedAt !== undefined) await this.#tell(job);
  }

  /** Gives whether containers are made of something else from now on. */
  async #write(job: PodJob, { batchPod }: PlannedJob): Promise<boolean> {
    const { files, client, settings, env } = this.#options;
    const { words, input } = encodeBatchUpdate(batchPod);
    const script = ["-p", files.execScript(job.uid), files.directory(job.uid)];
    try {
      const owner = job.record.user && (await client.user(job.record.user.uid));
      const { stdout } = await runProgram(settings.bash, [...script, ...words], {
        env: askingEnvironment(env),
        deadlineMs: DEADLINE_MS,
        input,
        ...(owner && { owner }),
      });
      return stdout.includes("changed");
    } catch (error) {
      const { message } = error as Error;
      throw new PluginError("unavailable", `The job's files were not changed: ${message}`, {
        cause: error,
      });
    }
  }

  /** So that the job need not find out by itself, which it does in a few seconds. */
  async #tell(job: PodJob): Promise<void> {
    const { client, logger } = this.#options;
    try {
      await client.tellNews(job.jobId ?? "");
    } catch (error) {
      logger.warn({ ...job.about, err: error }, "a job was not told of an update; it will look");
    }
  }
}

/** Nothing of it starts or changes any more. */
function isSettled({ deleting, isOver, isRefused, records }: PodJob): boolean {
  return deleting || isOver || isRefused || records?.finishedAt !== undefined;
}

/** What the job has to act on. */
function madeOf(pod: Pod): string {
  return JSON.stringify(allContainers(pod).map(({ name, image }) => [name, image]));
}
