import { stat } from "node:fs/promises";
import { join } from "node:path";
import {
  type Checkpoint,
  type Clock,
  isSystemError,
  type JobStore,
  Limit,
  PluginError,
} from "@interlink/plugin-sdk";
import type { Logger } from "pino";
import type { SlurmClient, SystemUser } from "../commands/slurm-client.ts";
import { SlurmError } from "../commands/slurm-error.ts";
import type { SlurmSettings } from "../config/slurm-config.ts";
import type { PlannedJob } from "../pods/plan-job.ts";
import type { PullBefore } from "../runtime/pull-before.ts";
import type { ControllerSettings } from "../slurm/controller-settings.ts";
import { sbatchArguments } from "../submit/sbatch-arguments.ts";
import { jobComment, podOfComment } from "./identity.ts";
import type { JobFiles } from "./job-files.ts";
import type { PodJob } from "./pod-job.ts";
import type { SlurmRecord } from "./slurm-record.ts";

export interface SubmitterOptions {
  store: JobStore<SlurmRecord>;
  files: JobFiles;
  client: SlurmClient;
  settings: SlurmSettings;
  controller: ControllerSettings;
  /** Asks for what `controller` holds, if that is not known yet. */
  learn: () => Promise<void>;
  instance: string;
  ownUid: number;
  /** The SDK's script, text. */
  batchScript: string;
  clock: Clock;
  logger: Logger;
  checkpoint: (step: Checkpoint) => void;
}

/** Programs that submit at the same time; more only makes slurmctld's queue of calls longer. */
const CONCURRENT = 8;

/**
 * Submits jobs so that no pod ever runs twice: what may have been submitted is looked for first, by the claim of a job
 * that has begun, by the comment in the queue, and in the accounting.
 */
export class Submitter {
  readonly #options: SubmitterOptions;
  readonly #limit = new Limit(CONCURRENT);
  /** A submission that waits for its turn is given up by nobody. */
  readonly #lasting = new AbortController().signal;

  constructor(options: SubmitterOptions) {
    this.#options = options;
  }

  /** The user to submit as. Throws `PluginError` `rejected`. */
  async user(uid: number | undefined): Promise<SystemUser | undefined> {
    if (uid === undefined) return undefined;
    const { client, ownUid } = this.#options;
    if (ownUid !== 0) {
      throw new PluginError(
        "rejected",
        `The pod is to run as user ${uid}, but the plugin runs as user ${ownUid} and cannot submit for others. Leave securityContext.runAsUser out; if a flavor or DefaultUID names the user, the site has to run the plugin as root.`,
      );
    }
    return client.user(uid).catch((error: unknown) => {
      throw asPluginError(error);
    });
  }

  /**
   * Brings the pod to Slurm and gives the job's id. `mayExist`: an earlier try may have done so. Throws `PluginError`:
   * `rejected` in sbatch's words, `unavailable` when nobody knows.
   */
  async submit(
    job: PodJob,
    plan: PlannedJob,
    user: SystemUser | undefined,
    mayExist: boolean,
  ): Promise<string> {
    const { store, clock, logger, checkpoint } = this.#options;
    try {
      const found = mayExist ? await this.#find(job) : undefined;
      if (found !== undefined) logger.info({ ...job.about, job: found }, "found the job again");
      const jobId = found ?? (await this.#sbatch(job, plan, user));
      checkpoint("create.container-started");
      // What a power cut takes of it is found again, as after a crash before it is written.
      await store.update(
        job.uid,
        ({ record: { refused: _refused, ...record } }) => ({ phase: "submitted", jobId, record }),
        { synced: false },
      );
      job.jobId = jobId;
      const { refused: _refused, ...record } = job.record;
      job.record = record;
      checkpoint("create.recorded");
      // Who creates a pod says so in a line of its own.
      logger[mayExist ? "info" : "debug"](job.about, "submitted");
      return jobId;
    } catch (error) {
      const told = asPluginError(error);
      if (told.code === "rejected") {
        const refused = told.message;
        job.record = { ...job.record, refused };
        await store.update(job.uid, ({ record }) => ({ record: { ...record, refused } }));
      }
      throw told;
    } finally {
      job.submittedAt = clock.now();
      job.missing = 0;
    }
  }

  async #sbatch(job: PodJob, plan: PlannedJob, user: SystemUser | undefined): Promise<string> {
    const { files, client, settings, controller, instance, batchScript } = this.#options;
    const { uid } = job;
    const isOwnHold = plan.flags.some(({ name }) => name === "hold");
    if (!isOwnHold && (await hasToPull(plan.pulls, settings.runtime.imageCache))) {
      // Before there is a job: whoever finds it must know that it is to be released.
      job.record = { ...job.record, held: true };
      await this.#options.store.update(uid, ({ record }) => ({
        record: { ...record, held: true },
      }));
    }
    const script = await files.write(uid, plan, {
      shared: settings.sharedFileSystem,
      maxBytes: controller.maxScriptBytes,
      user,
      batchScript,
    });
    const directory = files.directory(uid);
    const words = sbatchArguments(plan.flags, {
      comment: jobComment(instance, uid),
      jobName: uid,
      output: files.jobLog(uid),
      directory,
      requeue: settings.requeue,
      hold: job.record.held === true,
      ...(user && { user }),
      script: [script, directory],
    });
    const id = await this.#limit.run(this.#lasting, async () => {
      if (job.deleting) {
        throw new PluginError("conflict", `The pod ${uid} is being deleted; it does not run.`);
      }
      return client.submit(words, user);
    });
    if (id !== undefined) return id;
    // Accepted, in words that nobody understands: Slurm itself knows the id.
    const found = await this.#find(job);
    if (found !== undefined) return found;
    throw new PluginError(
      "unavailable",
      "sbatch has told no job id, and the job is not to be found yet. It is looked for again before anything is submitted anew.",
    );
  }

  async #find(job: PodJob): Promise<string | undefined> {
    const { files, client, controller, learn, instance, ownUid, store } = this.#options;
    const { uid } = job;
    const claimed = await files.claim(uid);
    if (claimed !== undefined) return claimed;
    const users = [ownUid, ...(job.record.user ? [job.record.user.uid] : [])].map(String);
    const queue = await client.queue(users);
    const ids = queue
      .filter(({ comment }) => podOfComment(instance, comment) === uid)
      .map(({ id }) => Number(id));
    if (ids.length > 0) return String(Math.min(...ids));
    await learn();
    if (!controller.hasAccounting) return undefined;
    const since = Date.parse(store.get(uid)?.createdAt ?? "");
    const known = await client.accounting({ name: uid, since: Number.isFinite(since) ? since : 0 });
    return known[0]?.id;
  }
}

/** Whether any of these images is not in the directory, or may be older there than in its registry. */
async function hasToPull(images: readonly PullBefore[], directory = "/"): Promise<boolean> {
  for (const { file, policy } of images) {
    if (policy === "Always") return true;
    // Whatever keeps it from being seen: the pull says what that is, as an event of the pod.
    const there = await stat(join(directory, file)).catch(() => undefined);
    if (there === undefined || there.size === 0) return true;
  }
  return false;
}

/** What a caller is told of an error of Slurm: a refusal is final, all else may pass. */
export function asPluginError(error: unknown): PluginError {
  if (error instanceof SlurmError) {
    const code = error.code === "refused" ? "rejected" : "unavailable";
    return new PluginError(code, error.message, { cause: error });
  }
  if (isSystemError(error)) {
    // A disk that is full, beyond its quota, read-only or gone: said in the system's words, which name the path.
    const told = `The plugin cannot write the pod's files: ${error.message}`;
    return new PluginError("unavailable", told, { cause: error });
  }
  return PluginError.from(error);
}
