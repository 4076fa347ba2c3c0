import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import {
  type AboutJob,
  batchScriptPath,
  type Checkpoint,
  type Clock,
  type JobStore,
  openJobStore,
  PluginError,
  type Provider,
  type ProviderListener,
  readLog,
  runtimeLogOptions,
  systemClock,
  ThreadedDisk,
} from "@interlink/plugin-sdk";
import type {
  AttachRequest,
  CreateAnswer,
  ExecRequest,
  Feature,
  LogRequest,
  PingAnswer,
  PortConnection,
  PortForwardRequest,
  ProcessStreams,
  RemotePodStatus,
  RetrievedPodData,
  StatsAnswer,
} from "@interlink/protocol";
import type { Pod } from "kubernetes-types/core/v1.js";
import type { Logger } from "pino";
import { askingEnvironment } from "../commands/environment.ts";
import { SlurmClient } from "../commands/slurm-client.ts";
import type { SlurmSettings } from "../config/slurm-config.ts";
import { planJob } from "../pods/plan-job.ts";
import { withoutProbes } from "../pods/site-volumes.ts";
import { pullBeforeWords } from "../runtime/pull-before.ts";
import type { ControllerSettings } from "../slurm/controller-settings.ts";
import { Announcer } from "./announcer.ts";
import { capacityAnswer, scriptAnswer } from "./capacity.ts";
import { Controller, DEFAULT_GRACE_SECONDS, killWaitWarning } from "./controller.ts";
import { Deleter } from "./deleter.ts";
import { instanceOf } from "./identity.ts";
import { JobFiles } from "./job-files.ts";
import { hasAttemptEnded, logAttempt } from "./log-attempt.ts";
import { Observer } from "./observer.ts";
import { PodJob } from "./pod-job.ts";
import { Poller } from "./poller.ts";
import { Puller } from "./puller.ts";
import { EMPTY_RECORD, readSlurmRecord, type SlurmRecord } from "./slurm-record.ts";
import { Streams } from "./streams.ts";
import { asPluginError, Submitter } from "./submitter.ts";
import { Updater } from "./updater.ts";
import { Usage } from "./usage.ts";

export interface SlurmProviderOptions {
  /** Directory of this plugin; owned by one process at a time. Compute nodes see it under the same path. */
  root: string;
  settings: SlurmSettings;
  logger: Logger;
  clock?: Clock;
  /** Default `process.env`: of it, Slurm's programs and jobs get a few variables. */
  env?: Readonly<Record<string, string | undefined>>;
  /** Called right after each step of create and delete; for crash tests. */
  checkpoint?: (step: Checkpoint) => void;
  /** Milliseconds between looks at the records of jobs. Default 1000. */
  recordsMs?: number;
  /** Milliseconds before a pull that failed is tried again the first time. Default 10 s. */
  pullRestMs?: number;
}

/** Pods as Slurm jobs: one pod, one job, run by the SDK's script; one question to Slurm for all of them. */
export function createSlurmProvider(options: SlurmProviderOptions): Provider {
  const root = resolve(options.root);
  if (!/^[A-Za-z0-9._/@+=~ -]+$/.test(root)) {
    throw new PluginError(
      "invalid",
      `The directory ${JSON.stringify(root)} cannot be used: runtimes of containers give other meanings to some of its signs.`,
    );
  }
  return new SlurmProvider({ ...options, root });
}

/** What is there once the provider has started. */
interface Parts {
  store: JobStore<SlurmRecord>;
  files: JobFiles;
  submitter: Submitter;
  observer: Observer;
  deleter: Deleter;
  puller: Puller;
  streams: Streams;
  usage: Usage;
  updater: Updater;
  controller: ControllerSettings;
  batchScript: string;
}

const FEATURES: readonly Feature[] = [
  "status-stream",
  "log-options",
  "exec",
  "attach",
  "port-forward",
  "stats",
];
/** What was packed into a job's script cannot be reached any more. */
const SHARED_FEATURES: readonly Feature[] = ["pod-updates", "ephemeral-containers"];

class SlurmProvider implements Provider {
  readonly name = "slurm";
  readonly features: readonly Feature[];
  readonly #options: SlurmProviderOptions;
  readonly #clock: Clock;
  readonly #client: SlurmClient;
  readonly #ownUid = process.getuid?.() ?? 0;
  readonly #jobs = new Map<string, PodJob>();
  readonly #announcer: Announcer;
  readonly #background = new Set<Promise<unknown>>();
  readonly #poller: Poller;
  readonly #disk = new ThreadedDisk();
  #parts: Parts | undefined;

  constructor(options: SlurmProviderOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.features = [...FEATURES, ...(options.settings.sharedFileSystem ? SHARED_FEATURES : [])];
    const { commands, passEnvironment, commandSeconds } = options.settings;
    this.#client = new SlurmClient({
      commands,
      env: options.env ?? process.env,
      passEnvironment,
      deadlineMs: commandSeconds * 1000,
    });
    this.#announcer = new Announcer(this.#jobs, this.#clock, options.logger);
    this.#poller = new Poller({
      jobs: this.#jobs,
      client: this.#client,
      clock: this.#clock,
      logger: options.logger,
      ownUid: this.#ownUid,
      pollMs: options.settings.pollSeconds * 1000,
      recordsMs: options.recordsMs ?? 1000,
      parts: () => this.#started(),
    });
  }

  async start(signal: AbortSignal): Promise<void> {
    const { root, logger, settings, checkpoint = () => undefined } = this.#options;
    const files = new JobFiles(root, this.#disk);
    // Before the store, which makes its own directories for this user alone.
    await files.open();
    const store = await openJobStore<SlurmRecord>({
      root: `${root}/store`,
      disk: this.#disk,
      bare: true,
      logger,
      newRecord: () => EMPTY_RECORD,
      readRecord: readSlurmRecord,
      now: () => this.#clock.now(),
    });
    try {
      await files.forgetScripts();
      const controlling = new Controller(this.#client, logger);
      await controlling.learn(signal);
      const controller = controlling.settings;
      const learn = (): Promise<void> => controlling.learn();
      const instance = instanceOf(root);
      const batchScript = await readFile(batchScriptPath(), "utf8");
      const common = { store, files, client: this.#client, controller, learn, instance, logger };
      const changed = (job: PodJob) => this.#changed(job);
      const observer = new Observer({
        ...common,
        changed,
        asRun: (pod) => (settings.probes ? pod : withoutProbes(pod)),
      });
      const find = (uid: string): PodJob | undefined => {
        const job = this.#jobs.get(uid);
        return job && this.#statusOf(job) && job;
      };
      this.#parts = {
        puller: this.#newPuller(store, changed),
        streams: new Streams({
          files,
          client: this.#client,
          srun: settings.commands.srun,
          logger,
          env: askingEnvironment(this.#options.env ?? process.env),
          find,
        }),
        usage: new Usage(files, logger),
        store,
        files,
        controller,
        submitter: new Submitter({
          ...common,
          settings,
          ownUid: this.#ownUid,
          batchScript,
          clock: this.#clock,
          checkpoint,
        }),
        observer,
        updater: new Updater({
          ...common,
          observer,
          settings,
          clock: this.#clock,
          env: this.#options.env ?? process.env,
          plan: (data) => planJob({ data, settings, batchScript, ownUid: this.#ownUid }),
          pull: (job, { pulls }) => this.#parts?.puller.begin(job, async () => pulls),
        }),
        deleter: new Deleter({
          ...common,
          clock: this.#clock,
          checkpoint,
          look: () => this.#poller.wake(),
          lastLook: async (job) => {
            await this.#parts?.observer.records(job, this.#clock.now());
          },
          gone: (job) => this.#gone(job),
        }),
        batchScript,
      };
      for (const job of store.list()) {
        signal.throwIfAborted();
        await this.#adopt(this.#parts, job.uid);
      }
    } catch (error) {
      this.#parts = undefined;
      await store.close();
      throw error;
    }
    await this.#poller.poll();
    for (const job of this.#jobs.values()) {
      this.#submitAgain(job);
      this.#pullFor(job);
    }
    this.#poller.start();
  }

  async create(data: RetrievedPodData, signal: AbortSignal): Promise<CreateAnswer> {
    const { store, submitter, observer, batchScript } = this.#started();
    const { settings } = this.#options;
    const uid = data.pod.metadata?.uid ?? "";
    const known = this.#jobs.get(uid);
    if (known?.deleting === false && known.jobId !== undefined) {
      return { PodUID: uid, PodJID: known.jobId };
    }
    if (known?.submission !== undefined) return { PodUID: uid, PodJID: await known.submission };
    const plan = planJob({ data, settings, batchScript, ownUid: this.#ownUid });
    const user = await submitter.user(plan.uid);
    signal.throwIfAborted();
    const { job: stored, created } = await store.create(data);
    if (stored.phase === "deleting") {
      throw new PluginError("conflict", `The pod ${uid} is being deleted; it does not run again.`);
    }
    const job = this.#jobs.get(uid) ?? this.#remember(data.pod, stored.record, stored.jobId);
    this.#options.checkpoint?.("create.intent-written");
    // From now on it has a status, if only that it waits.
    if (created) observer.begin(job, this.#clock.now());
    else await observer.records(job, this.#clock.now());
    if (job.jobId !== undefined) return { PodUID: uid, PodJID: job.jobId };
    if (user !== undefined && job.record.user === undefined) {
      const owner = { uid: user.uid, name: user.name };
      job.record = { ...job.record, user: owner };
      await store.update(uid, ({ record }) => ({ record: { ...record, user: owner } }));
    }
    // A second create of the same pod, at the same time, waits for the first.
    job.submission ??= this.#submit(job, plan, user, !created);
    const PodJID = await job.submission;
    for (const message of plan.warnings)
      this.#announcer.event(job, "Warning", "UnknownFlavor", message);
    const { terminationGracePeriodSeconds = DEFAULT_GRACE_SECONDS } = data.pod.spec ?? {};
    const short = killWaitWarning(this.#started().controller, terminationGracePeriodSeconds);
    if (short !== undefined) this.#announcer.event(job, "Warning", "ShortKillWait", short);
    return { PodUID: uid, PodJID };
  }

  async update(data: RetrievedPodData, signal: AbortSignal): Promise<void> {
    const { updater } = this.#started();
    const uid = data.pod.metadata?.uid ?? "";
    const job = this.#jobs.get(uid);
    if (job === undefined) {
      throw new PluginError("not-found", `No pod with UID ${uid} runs here.`);
    }
    await updater.update(job, data, signal);
  }

  async delete(pod: Pod): Promise<void> {
    const { store, deleter } = this.#started();
    const { uid = "", name = "", namespace = "" } = pod.metadata ?? {};
    if (store.get(uid) === undefined) {
      // Its create may still come, or come again.
      await store.bury({ uid, name, namespace });
      return;
    }
    const job = this.#jobs.get(uid) ?? this.#remember(pod, EMPTY_RECORD, undefined);
    const graceSeconds =
      pod.metadata?.deletionGracePeriodSeconds ??
      pod.spec?.terminationGracePeriodSeconds ??
      DEFAULT_GRACE_SECONDS;
    try {
      await deleter.request(job, graceSeconds);
    } catch (error) {
      // Buried by an earlier delete while this one was being written down: that is what was asked for.
      if (store.tombstone(uid) === undefined) throw error;
      if (this.#jobs.get(uid) === job) this.#jobs.delete(uid);
      return;
    }
    this.#started().puller.stop(uid);
    this.#announcer.tell(job);
    this.#poller.wake();
    this.#keep(deleter.advance(job));
  }

  aboutPod(uid: string): AboutJob | undefined {
    return this.#jobs.get(uid)?.about;
  }

  created(uid: string): { pod: Pod; at: number } | undefined {
    const pod = this.#jobs.get(uid)?.pod;
    const at = Date.parse(this.#started().store.get(uid)?.createdAt ?? "");
    return pod && { pod, at };
  }

  async status(pods: readonly Pod[] | "all"): Promise<RemotePodStatus[]> {
    const { store } = this.#started();
    if (pods === "all") {
      return [...this.#jobs.values()].flatMap((job) => this.#statusOf(job) ?? []);
    }
    return pods.flatMap(({ metadata: { uid = "" } = {} }) => {
      const job = this.#jobs.get(uid);
      return (job && this.#statusOf(job)) ?? store.finalStatus(uid) ?? [];
    });
  }

  finalStatuses(): RemotePodStatus[] {
    return this.#started().store.finalStatuses();
  }

  async *logs(request: LogRequest, signal: AbortSignal): AsyncIterable<Uint8Array> {
    const { files, observer } = this.#started();
    const { PodUID: uid, PodName: name, ContainerName: container, Opts } = request;
    const job = this.#jobs.get(uid);
    if (job !== undefined) await observer.records(job, this.#clock.now());
    const status = job && this.#statusOf(job);
    if (job === undefined || status === undefined) {
      throw new PluginError("not-found", `pod "${name}" does not exist`);
    }
    const attempt = logAttempt(status, container, Opts.Previous);
    if (attempt === undefined) return;
    yield* readLog(files.log(uid, container, attempt), runtimeLogOptions(Opts, this.#clock.now()), {
      signal,
      ended: () => !this.#jobs.has(uid) || hasAttemptEnded(job.status, container, attempt),
      now: () => this.#clock.now(),
    });
  }

  async exec(request: ExecRequest, signal: AbortSignal): Promise<ProcessStreams> {
    return this.#started().streams.exec(request, signal).catch(asStreamError);
  }

  async attach(request: AttachRequest, signal: AbortSignal): Promise<ProcessStreams> {
    return this.#started().streams.attach(request, signal).catch(asStreamError);
  }

  async portForward(request: PortForwardRequest, signal: AbortSignal): Promise<PortConnection> {
    return this.#started().streams.portForward(request, signal).catch(asStreamError);
  }

  async stats(signal: AbortSignal): Promise<StatsAnswer> {
    return this.#started().usage.answer([...this.#jobs.values()], this.#clock.now(), signal);
  }

  async ping(signal: AbortSignal): Promise<PingAnswer> {
    this.#started();
    const { settings, logger } = this.#options;
    const { resourceScript } = settings;
    try {
      if (resourceScript !== undefined) {
        try {
          const output = await this.#client.resourceScript(resourceScript, signal);
          return scriptAnswer(output, settings);
        } catch (error) {
          logger.warn({ err: error }, "the site's program of capacity failed; asking sinfo");
        }
      }
      return capacityAnswer(await this.#client.nodes(signal), settings);
    } catch (error) {
      throw new PluginError("unavailable", `Slurm does not answer: ${(error as Error).message}`, {
        cause: error,
      });
    }
  }

  subscribe(listener: ProviderListener): () => void {
    return this.#announcer.subscribe(listener);
  }

  async close(): Promise<void> {
    await this.#poller.close();
    await this.#parts?.puller.close();
    await this.#parts?.updater.close();
    // What was submitted must be written down, or it would have to be looked for.
    await Promise.allSettled(this.#background);
    this.#client[Symbol.dispose]();
    await this.#parts?.store.close();
    await this.#disk[Symbol.asyncDispose]();
  }

  #started(): Parts {
    if (this.#parts !== undefined) return this.#parts;
    throw new PluginError("unavailable", "The plugin slurm has not started yet.");
  }

  /** Takes over the job of an earlier life. */
  async #adopt(parts: Parts, uid: string): Promise<void> {
    const stored = parts.store.get(uid);
    if (stored === undefined) return;
    const { pod } = await parts.store.data(uid);
    const job = this.#remember(pod, stored.record, stored.jobId);
    job.deleting = stored.phase === "deleting";
    if (job.deleting && job.record.deletion === undefined) {
      job.record = {
        ...job.record,
        deletion: { requestedAt: this.#clock.now(), graceSeconds: DEFAULT_GRACE_SECONDS },
      };
    }
    await parts.observer.records(job, this.#clock.now());
    job.newEvents(true);
    job.refresh(this.#clock.now());
  }

  #remember(pod: Pod, record: SlurmRecord, jobId: string | undefined): PodJob {
    const job = new PodJob(pod, record, jobId, this.#clock.now());
    this.#jobs.set(job.uid, job);
    return job;
  }

  /** An earlier life may have submitted it, or not; its create may have been answered by no one. */
  #submitAgain(job: PodJob): void {
    if (job.jobId !== undefined || job.deleting || job.isRefused) return;
    const { store, submitter, batchScript } = this.#started();
    const { settings, logger } = this.#options;
    const again = async (): Promise<string> => {
      const data = await store.data(job.uid);
      const plan = planJob({ data, settings, batchScript, ownUid: this.#ownUid });
      return submitter.submit(job, plan, await submitter.user(plan.uid), true);
    };
    job.submission ??= this.#submission(job, again);
    job.submission.catch((error: unknown) => {
      logger.warn({ ...job.about, err: error }, "a pod could not be submitted again");
    });
  }

  #newPuller(store: JobStore<SlurmRecord>, changed: (job: PodJob) => void): Puller {
    const { settings, logger, pullRestMs } = this.#options;
    const { bash, pullSeconds, runtime } = settings;
    return new Puller({
      pull: (image, signal) =>
        this.#client.pullImage(bash, pullBeforeWords(image, runtime.imageCache ?? ""), {
          deadlineMs: pullSeconds * 1000,
          signal,
        }),
      release: async (job, signal) => {
        await this.#client.release(job.jobId ?? "", signal);
        const { held: _held, ...rest } = job.record;
        await store.update(job.uid, ({ record: { held: _was, ...record } }) => ({ record }));
        job.record = rest;
        this.#poller.wake();
      },
      changed,
      event: (...told) => this.#announcer.event(...told),
      logger,
      ...(pullRestMs !== undefined && { firstRestMs: pullRestMs }),
    });
  }

  #changed(job: PodJob): void {
    this.#announcer.tell(job);
    this.#pullFor(job);
  }

  /** Its job is held until its images are here; an earlier life may have left it so. */
  #pullFor(job: PodJob): void {
    if (job.record.held !== true || job.jobId === undefined || job.deleting || job.isOver) return;
    const { store, puller, batchScript } = this.#started();
    const { settings } = this.#options;
    puller.begin(job, async () => {
      const data = await store.data(job.uid);
      return planJob({ data, settings, batchScript, ownUid: this.#ownUid }).pulls;
    });
  }

  #submit(...given: Parameters<Submitter["submit"]>): Promise<string> {
    const [job] = given;
    return this.#submission(job, () => this.#started().submitter.submit(...given));
  }

  #submission(job: PodJob, submit: () => Promise<string>): Promise<string> {
    const submitted = submit().then(
      (jobId) => {
        this.#announcer.event(
          job,
          "Normal",
          "SlurmJobSubmitted",
          `Submitted as Slurm job ${jobId}`,
        );
        return jobId;
      },
      (error: unknown) => {
        throw asPluginError(error);
      },
    );
    const running = submitted.finally(() => {
      job.submission = undefined;
      this.#changed(job);
      this.#poller.wake();
    });
    this.#keep(running);
    return running;
  }

  #statusOf(job: PodJob): RemotePodStatus | undefined {
    if (job.isRefused && !job.deleting) return undefined;
    job.refresh(this.#clock.now());
    return job.status;
  }

  #gone(job: PodJob): void {
    if (this.#jobs.get(job.uid) === job) this.#jobs.delete(job.uid);
    this.#announcer.gone(job);
  }

  #keep(work: Promise<unknown>): void {
    const kept = work.catch(() => undefined).finally(() => this.#background.delete(kept));
    this.#background.add(kept);
  }
}

function asStreamError(error: unknown): never {
  throw asPluginError(error);
}
