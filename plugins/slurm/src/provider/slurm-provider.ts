import { resolve } from "node:path";
import {
  type AboutJob,
  type Checkpoint,
  type Clock,
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
import { SlurmClient } from "../commands/slurm-client.ts";
import type { SlurmSettings } from "../config/slurm-config.ts";
import { adoptJobs } from "./adopt-jobs.ts";
import { Announcer } from "./announcer.ts";
import { askCapacity } from "./ask-capacity.ts";
import { Background } from "./background.ts";
import { DEFAULT_GRACE_SECONDS } from "./controller.ts";
import { hasAttemptEnded, logAttempt } from "./log-attempt.ts";
import { openParts, type Parts } from "./parts.ts";
import { PodJobs } from "./pod-jobs.ts";
import { Poller } from "./poller.ts";
import { EMPTY_RECORD } from "./slurm-record.ts";
import { asPluginError } from "./submitter.ts";

/** What {@link createSlurmProvider} is given; what is optional has a default. */
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
      `The directory ${JSON.stringify(root)} cannot be used, as runtimes of containers give other meanings to some of its signs. Choose one of letters, digits, blanks and . _ / @ + = ~ - alone.`,
    );
  }
  return new SlurmProvider({ ...options, root });
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
  readonly #env: Readonly<Record<string, string | undefined>>;
  readonly #ownUid = process.getuid?.() ?? 0;
  readonly #jobs: PodJobs;
  readonly #announcer: Announcer;
  readonly #background = new Background();
  readonly #poller: Poller;
  readonly #disk = new ThreadedDisk();
  #parts: Parts | undefined;

  constructor(options: SlurmProviderOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#env = options.env ?? process.env;
    this.#jobs = new PodJobs(this.#clock);
    this.features = [...FEATURES, ...(options.settings.sharedFileSystem ? SHARED_FEATURES : [])];
    const { commands, passEnvironment, commandSeconds } = options.settings;
    this.#client = new SlurmClient({
      commands,
      env: this.#env,
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
    const { root, settings, logger, checkpoint = () => undefined, pullRestMs } = this.#options;
    const parts = await openParts(
      {
        root,
        settings,
        logger,
        clock: this.#clock,
        env: this.#env,
        ownUid: this.#ownUid,
        checkpoint,
        ...(pullRestMs !== undefined && { pullRestMs }),
        client: this.#client,
        disk: this.#disk,
        jobs: this.#jobs,
        announcer: this.#announcer,
        background: this.#background,
        look: () => this.#poller.wake(),
      },
      signal,
    );
    this.#parts = parts;
    try {
      await adoptJobs(parts, { jobs: this.#jobs, clock: this.#clock }, signal);
    } catch (error) {
      this.#parts = undefined;
      await parts.puller.close();
      await parts.store.close();
      throw error;
    }
    // What Slurm says of a job comes before anything is done about it.
    await this.#poller.poll();
    for (const job of this.#jobs.list()) {
      parts.creator.submitAgain(job);
      parts.pullFor(job);
    }
    this.#poller.start();
  }

  async create(data: RetrievedPodData, signal: AbortSignal): Promise<CreateAnswer> {
    return this.#started().creator.create(data, signal);
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
    const { store, deleter, puller } = this.#started();
    const { uid = "", name = "", namespace = "" } = pod.metadata ?? {};
    if (store.get(uid) === undefined) {
      // Its create may still come, or come again.
      await store.bury({ uid, name, namespace });
      return;
    }
    const job = this.#jobs.get(uid) ?? this.#jobs.remember(pod, EMPTY_RECORD, undefined);
    const graceSeconds =
      pod.metadata?.deletionGracePeriodSeconds ??
      pod.spec?.terminationGracePeriodSeconds ??
      DEFAULT_GRACE_SECONDS;
    try {
      await deleter.request(job, graceSeconds);
    } catch (error) {
      // Buried by an earlier delete while this one was being written down: that is what was asked for.
      if (store.tombstone(uid) === undefined) throw error;
      this.#jobs.forget(job);
      return;
    }
    puller.stop(uid);
    this.#announcer.tell(job);
    this.#poller.wake();
    this.#background.keep(deleter.advance(job));
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
      return this.#jobs.list().flatMap((job) => this.#jobs.statusOf(job) ?? []);
    }
    return pods.flatMap(({ metadata: { uid = "" } = {} }) => {
      const job = this.#jobs.get(uid);
      return (job && this.#jobs.statusOf(job)) ?? store.finalStatus(uid) ?? [];
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
    const status = job && this.#jobs.statusOf(job);
    if (job === undefined || status === undefined) {
      throw new PluginError("not-found", `pod "${name}" does not exist`);
    }
    const attempt = logAttempt(status, container, Opts.Previous);
    if (attempt === undefined) return;
    yield* readLog(files.log(uid, container, attempt), runtimeLogOptions(Opts, this.#clock.now()), {
      signal,
      ended: () =>
        this.#jobs.get(uid) === undefined || hasAttemptEnded(job.status, container, attempt),
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
    return this.#started().usage.answer(this.#jobs.list(), this.#clock.now(), signal);
  }

  async ping(signal: AbortSignal): Promise<PingAnswer> {
    this.#started();
    const { settings, logger } = this.#options;
    return askCapacity(this.#client, settings, logger, signal);
  }

  subscribe(listener: ProviderListener): () => void {
    return this.#announcer.subscribe(listener);
  }

  async close(): Promise<void> {
    await this.#poller.close();
    await this.#parts?.puller.close();
    await this.#parts?.updater.close();
    // What was submitted must be written down, or it would have to be looked for.
    await this.#background.settled();
    this.#client[Symbol.dispose]();
    await this.#parts?.store.close();
    await this.#disk[Symbol.asyncDispose]();
  }

  #started(): Parts {
    if (this.#parts !== undefined) return this.#parts;
    throw new PluginError("unavailable", "The plugin slurm has not started yet.");
  }
}

function asStreamError(error: unknown): never {
  throw asPluginError(error);
}
