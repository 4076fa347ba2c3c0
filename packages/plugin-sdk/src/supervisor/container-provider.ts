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
import { Agent } from "undici";
import type { Job } from "../jobs/job-store.ts";
import { openJobStore } from "../jobs/open-job-store.ts";
import { runtimeLogOptions } from "../logs/log-options.ts";
import { PluginError } from "../plugin-error.ts";
import type { AboutJob, Provider, ProviderListener } from "../provider.ts";
import type { ContainerRuntime } from "../runtime/container-runtime.ts";
import type { VolumeResolver } from "../volumes/pod-volumes.ts";
import { checkPod } from "./check-pod.ts";
import type { Checkpoint } from "./checkpoints.ts";
import type { Clock } from "./clock.ts";
import { systemClock } from "./clock.ts";
import { Limit } from "./limit.ts";
import { Listeners } from "./listeners.ts";
import type { Look } from "./observation-loop.ts";
import { ObservationLoop } from "./observation-loop.ts";
import { logTarget } from "./pod-logs.ts";
import type { PodParts } from "./pod-parts.ts";
import { statsAnswer } from "./pod-stats.ts";
import { PodSupervisor } from "./pod-supervisor.ts";
import type { PodRecord } from "./record.ts";
import { EMPTY_RECORD, readPodRecord } from "./record.ts";
import { runtimeFeatures, Sessions } from "./sessions.ts";
import { Strays } from "./strays.ts";

const DEFAULT_GRACE_SECONDS = 30;
const FEATURES: readonly Feature[] = [
  "status-stream",
  "log-options",
  "pod-ip-env",
  "pod-updates",
  "env-files",
  "ephemeral-containers",
];

/** The runtime, the directory of the jobs, and what else makes a plugin of it. */
export interface ContainerProviderOptions {
  /** Short and lower-case, e.g. `docker`. */
  name: string;
  runtime: ContainerRuntime;
  /** Directory of this plugin's jobs; owned by one process at a time. */
  root: string;
  logger: Logger;
  clock?: Clock;
  /** Called right after each step of create and delete; for crash tests. */
  checkpoint?: (step: Checkpoint) => void;
  /** Volumes of kinds that the SDK does not write (hostPath, claims …). Without it such pods are rejected. */
  resolveVolume?: VolumeResolver;
  /** Refuses pods that this plugin can never run: throws `PluginError` `rejected` that says what to do instead. */
  checkPod?: (pod: Pod) => void;
  /** Address of the host, for `status.hostIP`. */
  hostIP?: string;
  /** How often everything is asked for anew, as a net under `onChange`. Default 10 s. */
  listIntervalMs?: number;
  /** Steps at the runtime at the same time (create, start …), over all pods. Default 32. */
  concurrency?: number;
  /** Image pulls at the same time, over all pods. Default 5. */
  concurrentPulls?: number;
  /** Jitter of retries; 0 ≤ random < 1. */
  random?: () => number;
}

/**
 * A `Provider` on anything that runs containers live: job store, one supervisor per pod, one question to the runtime
 * for all of them. `start()` throws what `runtime.start()` throws; an engine that falls silent later is retried.
 */
export function createContainerProvider(options: ContainerProviderOptions): Provider {
  return new ContainerProvider(options);
}

class ContainerProvider implements Provider {
  readonly name: string;
  readonly features: readonly Feature[];
  readonly #options: ContainerProviderOptions;
  readonly #clock: Clock;
  readonly #random: () => number;
  readonly #listeners: Listeners;
  readonly #supervisors = new Map<string, PodSupervisor>();
  readonly #looks: ObservationLoop;
  readonly #dispatcher = new Agent({ connect: { rejectUnauthorized: false } });
  /** Creates under way, by UID. */
  readonly #creating = new Map<string, Promise<unknown>>();
  readonly #strays: Strays;
  readonly #sessions: Sessions;
  #parts: PodParts | undefined;
  #stopHints: (() => void) | undefined;

  constructor(options: ContainerProviderOptions) {
    this.name = options.name;
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#random = options.random ?? Math.random;
    this.#listeners = new Listeners(options.logger);
    this.#strays = new Strays(options.runtime, options.logger);
    const pulls: Feature[] = options.runtime.wantsPullSecrets === true ? ["pull-secrets"] : [];
    this.features = [...FEATURES, ...pulls, ...runtimeFeatures(options.runtime)];
    this.#sessions = new Sessions(options.runtime, (uid) => this.#supervisors.get(uid));
    this.#looks = new ObservationLoop({
      runtime: options.runtime,
      clock: this.#clock,
      logger: options.logger,
      intervalMs: options.listIntervalMs ?? 10_000,
      random: this.#random,
      deliver: (look) => this.#deliver(look),
    });
  }

  async start(signal: AbortSignal): Promise<void> {
    const { runtime, root, logger, checkpoint, resolveVolume, hostIP } = this.#options;
    const store = await openJobStore<PodRecord>({
      root,
      logger,
      newRecord: () => EMPTY_RECORD,
      readRecord: readPodRecord,
      now: () => this.#clock.now(),
    });
    try {
      await runtime.start?.(signal);
    } catch (error) {
      await store.close();
      throw error;
    }
    const parts: PodParts = {
      runtime,
      store,
      clock: this.#clock,
      logger,
      listener: this.#listeners,
      checkpoint: checkpoint ?? (() => undefined),
      ...(resolveVolume && { resolveVolume }),
      ...(hostIP !== undefined && { hostIP }),
      dispatcher: this.#dispatcher,
      steps: new Limit(this.#options.concurrency ?? 32),
      pulls: new Limit(this.#options.concurrentPulls ?? 5),
      random: this.#random,
      refresh: (uid) => this.#looks.hint(uid),
      tick: () => this.#looks.tick,
      gone: (uid) => this.#gone(uid),
    };
    this.#parts = parts;
    for (const job of store.list()) {
      signal.throwIfAborted();
      this.#supervise(parts, job, await store.data(job.uid), false);
    }
    this.#stopHints = runtime.onChange(({ uid }) => this.#looks.hint(uid));
    // If the runtime does not answer now, pods keep their last known state and are taken up when it does.
    await this.#looks.all();
  }

  async create(data: RetrievedPodData, signal: AbortSignal): Promise<CreateAnswer> {
    const parts = this.#started();
    const uid = data.pod.metadata?.uid ?? "";
    const running = this.#supervisors.get(uid);
    if (running !== undefined && running.record.deletion === undefined) {
      return { PodUID: uid, PodJID: running.jobId };
    }
    await checkPod(this.name, data, this.#options);
    signal.throwIfAborted();
    const creating = this.#create(parts, uid, data);
    this.#creating.set(uid, creating);
    try {
      return { PodUID: uid, PodJID: (await creating).jobId };
    } finally {
      if (this.#creating.get(uid) === creating) this.#creating.delete(uid);
    }
  }

  async update(data: RetrievedPodData, signal: AbortSignal): Promise<void> {
    this.#started();
    const uid = data.pod.metadata?.uid ?? "";
    // One that is being written down has a supervisor when it is.
    await this.#creating.get(uid)?.catch(() => undefined);
    const supervisor = this.#supervisors.get(uid);
    if (supervisor === undefined) {
      throw new PluginError("not-found", `No pod with UID ${uid} runs here.`);
    }
    await supervisor.update(data, signal);
  }

  async delete(pod: Pod): Promise<void> {
    const parts = this.#started();
    const { uid = "", name = "", namespace = "" } = pod.metadata ?? {};
    // One that is being written down cannot be refused any more; it has a supervisor when it is.
    await this.#creating.get(uid)?.catch(() => undefined);
    const supervisor = this.#supervisors.get(uid);
    if (supervisor === undefined) {
      // Its create may still come, or come again.
      await parts.store.bury({ uid, name, namespace });
      return;
    }
    const { deletionGracePeriodSeconds } = pod.metadata ?? {};
    const { terminationGracePeriodSeconds } = pod.spec ?? {};
    try {
      await supervisor.requestDelete(
        deletionGracePeriodSeconds ?? terminationGracePeriodSeconds ?? DEFAULT_GRACE_SECONDS,
      );
    } catch (error) {
      // Buried by an earlier delete while this one was being written down: that is what was asked for.
      if (parts.store.tombstone(uid) === undefined) throw error;
    }
  }

  aboutPod(uid: string): AboutJob | undefined {
    return this.#supervisors.get(uid)?.about;
  }

  created(uid: string): { pod: Pod; at: number } | undefined {
    const pod = this.#supervisors.get(uid)?.plan.pod;
    const at = Date.parse(this.#started().store.get(uid)?.createdAt ?? "");
    return pod && { pod, at };
  }

  async status(pods: readonly Pod[] | "all"): Promise<RemotePodStatus[]> {
    const { store } = this.#started();
    if (pods === "all") return [...this.#supervisors.values()].map((one) => one.status());
    return pods.flatMap(({ metadata: { uid = "" } = {} }) => {
      return this.#supervisors.get(uid)?.status() ?? store.finalStatus(uid) ?? [];
    });
  }

  finalStatuses(): RemotePodStatus[] {
    return this.#started().store.finalStatuses();
  }

  async *logs(request: LogRequest, signal: AbortSignal): AsyncIterable<Uint8Array> {
    const { runtime } = this.#started();
    const supervisor = this.#supervisors.get(request.PodUID);
    if (supervisor === undefined) {
      throw new PluginError("not-found", `pod "${request.PodName}" does not exist`);
    }
    const handle = logTarget(
      supervisor.plan,
      supervisor.record,
      supervisor.status(),
      request.ContainerName,
      request.Opts.Previous,
    );
    if (handle === undefined) return;
    const options = runtimeLogOptions(request.Opts, this.#clock.now());
    yield* runtime.logs(handle, options, signal);
  }

  async ping(signal: AbortSignal): Promise<PingAnswer> {
    const { runtime } = this.#started();
    const { cpu, memory, pods, ephemeralStorage, extended = {} } = await runtime.capacity(signal);
    const accelerators = Object.entries(extended).map(([resourceType, available]) => ({
      resourceType,
      available,
    }));
    const storage = ephemeralStorage === undefined ? {} : { "ephemeral-storage": ephemeralStorage };
    return { status: "ok", resources: { cpu, memory, pods, ...storage, accelerators } };
  }

  async exec(request: ExecRequest, signal: AbortSignal): Promise<ProcessStreams> {
    this.#started();
    return this.#sessions.exec(request, signal);
  }

  async attach(request: AttachRequest, signal: AbortSignal): Promise<ProcessStreams> {
    this.#started();
    return this.#sessions.attach(request, signal);
  }

  async portForward(request: PortForwardRequest, signal: AbortSignal): Promise<PortConnection> {
    this.#started();
    return this.#sessions.portForward(request, signal);
  }

  async stats(signal: AbortSignal): Promise<StatsAnswer> {
    const { runtime } = this.#started();
    const measured = (await runtime.stats?.(signal)) ?? { containers: [] };
    return statsAnswer(measured, (uid) => this.#supervisors.get(uid));
  }

  subscribe(listener: ProviderListener): () => void {
    return this.#listeners.add(listener);
  }

  async close(): Promise<void> {
    this.#stopHints?.();
    this.#sessions.close();
    await this.#looks.close();
    await Promise.all([...this.#supervisors.values()].map((one) => this.#letGo(one)));
    await this.#strays.close();
    await this.#options.runtime.close();
    await this.#dispatcher.destroy();
    await this.#parts?.store.close();
  }

  /** What could not be written (the disk is full) is asked for anew in the next life; the rest must be closed all the same. */
  async #letGo(supervisor: PodSupervisor): Promise<void> {
    try {
      await supervisor.close();
    } catch (error) {
      this.#options.logger.error(
        { ...supervisor.about, err: error },
        "a pod's newest record could not be written",
      );
    }
  }

  #started(): PodParts {
    if (this.#parts !== undefined) return this.#parts;
    throw new PluginError("unavailable", `The plugin ${this.name} has not started yet.`);
  }

  /** Everything of a create once its pod was found sound: durable when it resolves. */
  async #create(parts: PodParts, uid: string, data: RetrievedPodData): Promise<PodSupervisor> {
    // What an earlier life left without a job has to be gone first, or it would be removed from under this pod.
    await this.#strays.settled(uid);
    const { job, created } = await parts.store.create(data);
    if (job.phase === "deleting") {
      throw new PluginError("conflict", `The pod ${uid} is being deleted; it does not run again.`);
    }
    // A second create of the same pod, at the same time, finds the supervisor of the first.
    let supervisor = this.#supervisors.get(uid);
    if (supervisor === undefined) {
      parts.checkpoint("create.intent-written");
      supervisor = this.#supervise(parts, job, data, created);
      supervisor.wake();
      if (!created) this.#looks.hint(uid);
    }
    return supervisor;
  }

  #supervise(
    parts: PodParts,
    job: Job<PodRecord>,
    data: RetrievedPodData,
    isNew: boolean,
  ): PodSupervisor {
    const supervisor = new PodSupervisor(parts, job, data, { isNew, plugin: this.name });
    this.#supervisors.set(job.uid, supervisor);
    return supervisor;
  }

  #deliver({ containers, only, tick }: Look): void {
    for (const uid of only ?? this.#supervisors.keys()) {
      this.#supervisors.get(uid)?.observe(containers.get(uid) ?? [], tick);
    }
    for (const uid of containers.keys()) {
      if (!this.#supervisors.has(uid) && this.#isStray(uid)) this.#strays.remove(uid);
    }
  }

  /** A damaged record is for a person to look at: its containers are not touched. Nor is a job that comes or goes. */
  #isStray(uid: string): boolean {
    const { store } = this.#started();
    return store.get(uid) === undefined && store.quarantined.every((one) => one.uid !== uid);
  }

  #gone(uid: string): void {
    const supervisor = this.#supervisors.get(uid);
    if (supervisor === undefined) return;
    this.#supervisors.delete(uid);
    this.#sessions.endAll(uid);
    const { name, namespace } = supervisor.plan;
    this.#listeners.gone({ UID: uid, name, namespace });
    // Not awaited: this is called from within one of its own tasks.
    void supervisor.close().catch((error: unknown) => {
      this.#options.logger.error(
        { ...supervisor.about, err: error },
        "a finished pod could not be let go",
      );
    });
  }
}
