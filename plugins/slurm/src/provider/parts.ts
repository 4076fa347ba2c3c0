import { readFile } from "node:fs/promises";
import {
  batchScriptPath,
  type Checkpoint,
  type Clock,
  type JobStore,
  openJobStore,
  type ThreadedDisk,
} from "@interlink/plugin-sdk";
import type { RetrievedPodData } from "@interlink/protocol";
import type { Logger } from "pino";
import { askingEnvironment } from "../commands/environment.ts";
import type { SlurmClient } from "../commands/slurm-client.ts";
import type { SlurmSettings } from "../config/slurm-config.ts";
import { type PlannedJob, planJob } from "../pods/plan-job.ts";
import { withoutProbes } from "../pods/site-volumes.ts";
import { pullBeforeWords } from "../runtime/pull-before.ts";
import type { Announcer } from "./announcer.ts";
import type { Background } from "./background.ts";
import { Controller } from "./controller.ts";
import { Creator } from "./creator.ts";
import { Deleter } from "./deleter.ts";
import { instanceOf } from "./identity.ts";
import { JobFiles } from "./job-files.ts";
import { Observer } from "./observer.ts";
import type { PodJob } from "./pod-job.ts";
import type { PodJobs } from "./pod-jobs.ts";
import { Puller } from "./puller.ts";
import { EMPTY_RECORD, readSlurmRecord, type SlurmRecord } from "./slurm-record.ts";
import { Streams } from "./streams.ts";
import { Submitter } from "./submitter.ts";
import { Updater } from "./updater.ts";
import { Usage } from "./usage.ts";

/** What is there once the provider has started. */
export interface Parts {
  store: JobStore<SlurmRecord>;
  files: JobFiles;
  observer: Observer;
  creator: Creator;
  updater: Updater;
  deleter: Deleter;
  puller: Puller;
  streams: Streams;
  usage: Usage;
  /** A job is held until its images are here; an earlier life may have left it so. Does nothing for all others. */
  pullFor: (job: PodJob) => void;
}

/** What the parts are made of: what is there before the start, and outlives it. */
export interface PartsOptions {
  /** Absolute; see `SlurmProviderOptions`. */
  root: string;
  settings: SlurmSettings;
  logger: Logger;
  clock: Clock;
  env: Readonly<Record<string, string | undefined>>;
  /** User id of this process. */
  ownUid: number;
  checkpoint: (step: Checkpoint) => void;
  /** Milliseconds before a pull that failed is tried again the first time. */
  pullRestMs?: number;
  client: SlurmClient;
  disk: ThreadedDisk;
  jobs: PodJobs;
  announcer: Announcer;
  background: Background;
  /** Slurm is to be asked now. */
  look: () => void;
}

/**
 * Opens what is on disk, asks Slurm for its settings, and puts together what carries out the provider's promises. Nothing
 * of it runs by itself yet. Throws when the directory or its records cannot be used; then nothing is left open.
 */
export async function openParts(options: PartsOptions, signal: AbortSignal): Promise<Parts> {
  const { root, disk, logger, clock } = options;
  const files = new JobFiles(root, disk);
  // Before the store, which makes its own directories for this user alone.
  await files.open();
  const store = await openJobStore<SlurmRecord>({
    root: `${root}/store`,
    disk,
    bare: true,
    logger,
    newRecord: () => EMPTY_RECORD,
    readRecord: readSlurmRecord,
    now: () => clock.now(),
  });
  try {
    await files.forgetScripts();
    const controller = new Controller(options.client, logger);
    await controller.learn(signal);
    const batchScript = await readFile(batchScriptPath(), "utf8");
    return makeParts(options, { files, store, controller, batchScript });
  } catch (error) {
    await store.close();
    throw error;
  }
}

interface Opened {
  files: JobFiles;
  store: JobStore<SlurmRecord>;
  controller: Controller;
  /** The SDK's script, text. */
  batchScript: string;
}

function makeParts(
  options: PartsOptions,
  { files, store, controller, batchScript }: Opened,
): Parts {
  const { settings, env, ownUid, jobs, announcer, clock } = options;
  const plan = (data: RetrievedPodData): PlannedJob =>
    planJob({ data, settings, batchScript, ownUid });
  const pullFor = (job: PodJob): void => {
    if (job.record.held !== true || job.jobId === undefined || job.deleting || job.isOver) return;
    puller.begin(job, async () => plan(await store.data(job.uid)).pulls);
  };
  const changed = (job: PodJob): void => {
    announcer.tell(job);
    pullFor(job);
  };
  const puller = newPuller(options, store, changed);
  const common = {
    ...options,
    store,
    files,
    controller: controller.settings,
    learn: () => controller.learn(),
    instance: instanceOf(options.root),
    batchScript,
    plan,
    changed,
  };
  const observer = new Observer({
    ...common,
    asRun: (pod) => (settings.probes ? pod : withoutProbes(pod)),
  });
  const submitter = new Submitter(common);
  return {
    store,
    files,
    observer,
    creator: new Creator({ ...common, observer, submitter }),
    updater: new Updater({
      ...common,
      observer,
      pull: (job, { pulls }) => puller.begin(job, async () => pulls),
    }),
    deleter: new Deleter({
      ...common,
      lastLook: (job) => observer.records(job, clock.now()),
      gone: (job) => {
        jobs.forget(job);
        announcer.gone(job);
      },
    }),
    puller,
    streams: new Streams({
      ...common,
      srun: settings.commands.srun,
      env: askingEnvironment(env),
      find: (uid) => {
        const job = jobs.get(uid);
        return job && jobs.statusOf(job) && job;
      },
    }),
    usage: new Usage(files, options.logger),
    pullFor,
  };
}

function newPuller(
  { settings, client, announcer, logger, pullRestMs, look }: PartsOptions,
  store: JobStore<SlurmRecord>,
  changed: (job: PodJob) => void,
): Puller {
  const { bash, pullSeconds, runtime } = settings;
  return new Puller({
    pull: (image, signal) =>
      client.pullImage(bash, pullBeforeWords(image, runtime.imageCache ?? ""), {
        deadlineMs: pullSeconds * 1000,
        signal,
      }),
    release: async (job, signal) => {
      await client.release(job.jobId ?? "", signal);
      const { held: _held, ...rest } = job.record;
      await store.update(job.uid, ({ record: { held: _was, ...record } }) => ({ record }));
      job.record = rest;
      look();
    },
    changed,
    event: (...told) => announcer.event(...told),
    logger,
    ...(pullRestMs !== undefined && { firstRestMs: pullRestMs }),
  });
}
