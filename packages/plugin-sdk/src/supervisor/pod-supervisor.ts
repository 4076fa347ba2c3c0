/*
 * One pod's supervisor: the thin loop around `decide`.
 *
 * It holds the record (what is also on disk), the memory of this process (images made present, probes, what the
 * runtime was seen to have) and the tasks under way, one per action key. `wake()` asks for a turn; turns never
 * overlap. A turn: take in the newest look at the runtime, decide, tell what changed, start the decided actions that
 * are neither under way nor waiting for a retry, and set one timer for the next thing that time brings.
 *
 * States, all visible in the record: running its course → `deletion` set → every container ended → sandbox removed →
 * finished (the job is buried and this object is dropped). `close()` leaves at any of them; containers go on running.
 */
import { join } from "node:path";
import type { RemotePodStatus, RetrievedPodData } from "@interlink/protocol";
import type { Job } from "../jobs/job-store.ts";
import { KeyedQueue } from "../jobs/keyed-queue.ts";
import type { ObservedContainer } from "../runtime/container-runtime.ts";
import { mountedVolumes } from "../volumes/plan-volumes.ts";
import { updateVolumes } from "../volumes/prepare-volumes.ts";
import { checkNames } from "./check-pod.ts";
import { withoutFuture } from "./clock-set-back.ts";
import { decide } from "./decide.ts";
import type { Action, PodMemory } from "./decision.ts";
import type { EventText } from "./event-texts.ts";
import { eventTexts } from "./event-texts.ts";
import type { Observation } from "./observe.ts";
import { observe, orphans } from "./observe.ts";
import { readEndedMessages } from "./perform/read-ended-messages.ts";
import type { PlannedPod } from "./planned-pod.ts";
import { planPod } from "./planned-pod.ts";
import type { PodParts } from "./pod-parts.ts";
import { podEvent } from "./pod-parts.ts";
import { isOver, podStatus } from "./pod-status.ts";
import { LONGEST_RETRY_MS, PodTasks } from "./pod-tasks.ts";
import { look } from "./probes/look.ts";
import type { DueProbe } from "./probes/pod-probes.ts";
import { PodProbes } from "./probes/pod-probes.ts";
import type { ProbeOutcome } from "./probes/probe-worker.ts";
import type { PodRecord } from "./record.ts";
import { containerRecord, withAttempt, withContainer, withProblemsRetried } from "./record.ts";
import { RecordWriter } from "./record-writer.ts";
import { storageLimits } from "./storage/storage-limits.ts";
import { StorageWatch } from "./storage/storage-watch.ts";
import { containersOfOtherImage, updatedData } from "./updated-data.ts";
import { withDeadline } from "./with-deadline.ts";
import { type AboutPodJob, aboutWork, type PodWork } from "./work.ts";

/** For a layer of very many files. */
const LAYER_MS = 5 * 60_000;

export class PodSupervisor {
  readonly jobId: string;
  readonly #parts: PodParts;
  readonly #work: PodWork;
  readonly #probes: PodProbes;
  readonly #tasks: PodTasks;
  readonly #writer: RecordWriter;
  readonly #storage: StorageWatch | undefined;
  readonly #closing = new AbortController();
  readonly #looks = new Set<Promise<void>>();
  readonly #volumes = new KeyedQueue();
  #record: PodRecord;
  #lookTick = -1;
  #pendingLook: { containers: readonly ObservedContainer[]; tick: number } | undefined;
  /** Until the runtime was asked once, nothing is done: the pod may be running already. */
  #isSynced: boolean;
  #turn: Promise<void> | undefined;
  #wantsTurn = false;
  #cancelTimer: (() => void) | undefined;
  #lastStatus = "";
  #revision: number;

  /** `data` spares reading a fresh pod back from disk. `isNew`: the runtime cannot have anything of it yet. */
  constructor(
    parts: PodParts,
    job: Job<PodRecord>,
    data: RetrievedPodData,
    options: { isNew: boolean; plugin: string },
  ) {
    this.#parts = parts;
    const plan = planPod(data.pod);
    this.jobId = job.jobId ?? `${options.plugin}-${job.uid}`;
    this.#record = job.record;
    this.#isSynced = options.isNew;
    this.#probes = new PodProbes(plan);
    // Counts on from the time, so that it does not go back over a restart.
    this.#revision = parts.clock.now();
    this.#work = {
      parts,
      plan,
      jobId: this.jobId,
      images: new Map(),
      pulling: new Map(),
      madeAtTick: new Map(),
      stoppedAtTick: new Map(),
      observed: [],
      sandbox: "unknown",
      ...(options.isNew && { data }),
      inLine: (task) => this.#volumes.run("", task),
      record: () => this.#record,
      change: (change) => {
        this.#record = change(this.#record);
      },
      save: () => this.#writer.save(),
      started: () => this.#writer.started(),
      tell: (event) => this.#tell(event),
      wake: () => this.wake(),
      finalStatus: () => this.status(),
    };
    this.#tasks = new PodTasks(this.#work, (action, succeeded) => {
      // There is nothing left to supervise.
      if (succeeded && action.type === "finish") this.#closing.abort(new Error("The pod is gone."));
      this.wake();
    });
    this.#storage = this.#watchStorage();
    this.#writer = new RecordWriter({
      parts,
      about: this.about,
      initial: job.record,
      record: () => this.#record,
      isOver: () => this.#closing.signal.aborted || this.#work.sandbox === "removed",
    });
  }

  get plan(): PlannedPod {
    return this.#work.plan;
  }

  /** For log lines. */
  get about(): AboutPodJob {
    return aboutWork(this.#work);
  }

  /** Now. Never asks anybody. */
  status(): RemotePodStatus {
    const { runtime, clock, hostIP } = this.#parts;
    return podStatus(this.plan, this.#record, {
      runtimeType: runtime.type,
      jobId: this.jobId,
      ...(hostIP !== undefined && { hostIP }),
      probes: this.#probes.summaries(),
      pulling: this.#work.pulling,
      now: clock.now(),
      revision: this.#revision,
    });
  }

  get record(): PodRecord {
    return this.#record;
  }

  /** What the runtime has of this pod, by the look number `tick`. */
  observe(containers: readonly ObservedContainer[], tick: number): void {
    this.#pendingLook = { containers, tick };
    this.#isSynced = true;
    this.wake();
  }

  /** Ask for a turn. */
  wake(): void {
    this.#wantsTurn = true;
    if (this.#closing.signal.aborted) return;
    this.#turn ??= this.#turns().finally(() => {
      this.#turn = undefined;
      if (this.#wantsTurn) this.wake();
    });
  }

  /** What the pod names has changed: durable and in its volumes when it resolves. No-op for a pod that is over. */
  async update(update: RetrievedPodData, signal: AbortSignal): Promise<void> {
    await this.#work.inLine(async () => {
      if (isOver(this.plan, this.#record)) return;
      const { store, clock } = this.#parts;
      const { uid } = this.plan;
      const data = updatedData(this.#work.data ?? (await store.data(uid)), update);
      checkNames(data.pod);
      // Written down last: a crash in between leaves the old word, and whoever sent the new one sends it again.
      await updateVolumes(data, {
        directory: store.paths(uid).volumes,
        now: () => clock.now(),
        keepsOld: () => this.#isStarting(),
        signal,
      });
      await this.#parts.runtime.volumesChanged?.(uid, signal);
      await store.replaceData(uid, data);
      if (this.#work.data !== undefined) this.#work.data = data;
      this.#forgetTroubles(containersOfOtherImage(this.plan.pod, data.pod));
      this.#forgetVolumes(data);
      this.#work.plan = planPod(data.pod);
      this.#record = withProblemsRetried(this.#record, clock.now());
    });
    this.wake();
  }

  /** Another image is tried at once, whatever became of the one before: neither its pulls nor its crashes count. */
  #forgetTroubles(containers: readonly string[]): void {
    for (const name of containers) {
      this.#work.images.delete(name);
      this.#record = withContainer(this.#record, name, (before) => {
        const { image: _image, crash: _crash, crashTold: _told, ...rest } = before;
        return rest;
      });
    }
  }

  /** A new ephemeral container may mount a volume that none has mounted: it is made with the next look at the sandbox. */
  #forgetVolumes(data: RetrievedPodData): void {
    const before = mountedVolumes(this.plan.pod);
    if (this.#work.volumes === undefined) return;
    if ([...mountedVolumes(data.pod)].every((name) => before.has(name))) return;
    delete this.#work.volumes;
    this.#work.data = data;
    if (this.#work.sandbox === "ready") this.#work.sandbox = "unknown";
  }

  /** Durable when it resolves. Repeatable; the earliest deadline counts. */
  async requestDelete(graceSeconds: number): Promise<void> {
    const now = this.#parts.clock.now();
    const deadline = now + Math.max(0, graceSeconds) * 1000;
    const before = this.#record.deletion;
    if (before === undefined || deadline < before.deadline) {
      const requestedAt = before?.requestedAt ?? now;
      this.#record = { ...this.#record, deletion: { requestedAt, deadline } };
    }
    await this.#writer.save();
    this.#parts.checkpoint("delete.intent-written");
    this.wake();
  }

  /** Only where something is limited, as long as there is something to end. */
  #watchStorage(): StorageWatch | undefined {
    const { clock, logger, store, runtime } = this.#parts;
    const limits = storageLimits(this.plan.pod, runtime.layerBytes !== undefined);
    if (limits === undefined || isOver(this.plan, this.#record)) return undefined;
    const { volumes } = store.paths(this.plan.uid);
    return new StorageWatch({
      limits,
      path: (volume) => join(volumes, volume),
      layer: (container, signal) => this.#layerBytes(container, signal),
      clock,
      logger,
      about: this.about,
      isOver: () => isOver(this.plan, this.#record),
      exceeded: (message) => {
        if (isOver(this.plan, this.#record)) return;
        this.#record = { ...this.#record, eviction: { reason: "Evicted", message } };
        this.#tell(eventTexts.evicted(message));
        this.wake();
      },
    });
  }

  async #layerBytes(name: string, signal: AbortSignal): Promise<number | undefined> {
    const { current } = containerRecord(this.#record, name);
    if (current?.state !== "running") return undefined;
    const { attempt, id } = current;
    const handle = { uid: this.plan.uid, containerName: name, attempt, id };
    return withDeadline(signal, LAYER_MS, async (limited) =>
      this.#parts.runtime.layerBytes?.(handle, limited),
    );
  }

  /** Stop supervising; containers go on running. */
  async close(): Promise<void> {
    this.#closing.abort(new Error("The plugin is being stopped."));
    this.#cancelTimer?.();
    await this.#turn;
    await this.#tasks.close(this.#closing.signal.reason);
    await Promise.all(this.#looks);
    await this.#volumes.idle();
    await this.#storage?.close();
    await this.#writer.close();
  }

  async #turns(): Promise<void> {
    // Others of the same moment first: one turn for all of them.
    await Promise.resolve();
    while (this.#wantsTurn && !this.#closing.signal.aborted) {
      this.#wantsTurn = false;
      try {
        await this.#oneTurn();
      } catch (error) {
        this.#parts.logger.error({ ...this.about, err: error }, "a pod's turn failed");
        this.#cancelTimer?.();
        this.#cancelTimer = this.#parts.clock.at(this.#parts.clock.now() + LONGEST_RETRY_MS, () =>
          this.wake(),
        );
      }
    }
  }

  async #oneTurn(): Promise<void> {
    const { clock } = this.#parts;
    await this.#takeLook();
    this.#record = withoutFuture(this.#record, clock.now());
    this.#probes.follow(this.#record, clock.now());
    this.#rememberProbes();
    await this.#endOnDisk();
    if (!this.#isSynced) {
      this.#publish();
      return;
    }
    const now = clock.now();
    const decision = decide({ plan: this.plan, record: this.#record, memory: this.#memory(), now });
    this.#record = decision.record;
    for (const event of decision.events) this.#tell(event);
    this.#writer.saveSoon();
    this.#publish();
    this.#tasks.abortSuperseded(decision.actions, now);
    let wakeAt = decision.wakeAt ?? Number.POSITIVE_INFINITY;
    for (const action of decision.actions) {
      if (this.#awaitsLook(action)) continue;
      wakeAt = Math.min(wakeAt, this.#tasks.begin(action, now) ?? wakeAt);
    }
    for (const due of this.#probes.takeDue(this.#record, now)) {
      const looking = this.#look(due).finally(() => this.#looks.delete(looking));
      this.#looks.add(looking);
    }
    wakeAt = Math.min(wakeAt, this.#probes.nextAt(this.#record) ?? Number.POSITIVE_INFINITY);
    this.#cancelTimer?.();
    this.#cancelTimer = Number.isFinite(wakeAt) ? clock.at(wakeAt, () => this.wake()) : undefined;
  }

  /**
   * A stop that is sent before its reason is written would look, after a crash, like a container that ended by itself.
   * Throws when it cannot be written: then nothing is done until it can.
   */
  async #endOnDisk(): Promise<void> {
    const isWritten = () => {
      const { deletion, eviction } = this.#writer.written;
      return this.#record.deletion === deletion && this.#record.eviction === eviction;
    };
    while (!isWritten()) await this.#writer.save();
  }

  async #takeLook(): Promise<void> {
    const seen = this.#pendingLook;
    if (seen === undefined) return;
    this.#pendingLook = undefined;
    this.#work.observed = seen.containers;
    this.#lookTick = seen.tick;
    const before = this.#record;
    const observation: Observation = {
      containers: seen.containers,
      now: this.#parts.clock.now(),
      wasAskedAfter: (name, attempt) =>
        seen.tick > (this.#work.madeAtTick.get(`${name} ${attempt}`) ?? -1),
    };
    const after = observe(before, this.plan, observation);
    if (orphans(after, this.plan, seen.containers).length > 0) this.#work.sandbox = "unknown";
    if (after === before) return;
    if (after.lost !== before.lost) this.#tell(eventTexts.sandboxChanged());
    const messages = await readEndedMessages(this.#work, before, after, this.#closing.signal);
    // Tasks may have changed the record in the meantime: look again at what it is now.
    this.#record = observe(this.#record, this.plan, observation);
    for (const { name, attempt, message } of messages) {
      this.#record = withAttempt(this.#record, name, attempt, (ended) => ({ ...ended, message }));
    }
  }

  /** What probes have said so far becomes part of the record, for a restart of the plugin. */
  #rememberProbes(): void {
    for (const [name, { attempt, startup, ready }] of this.#probes.summaries()) {
      this.#record = withAttempt(this.#record, name, attempt, (current) =>
        (current.startupDone ?? false) === startup && (current.ready ?? false) === ready
          ? current
          : { ...current, startupDone: startup, ready },
      );
    }
  }

  /** Whether a container is between the making of its mounts and its start. */
  #isStarting(): boolean {
    const made = Object.values(this.#record.containers);
    const inFlight = [...this.#tasks.keys()];
    return (
      made.some(({ current }) => current?.state === "created") ||
      inFlight.some((key) => /^(?:create|start)Container/.test(key))
    );
  }

  #memory(): PodMemory {
    return {
      sandbox: this.#work.sandbox,
      images: this.#work.images,
      probes: this.#probes.summaries(),
      observed: this.#work.observed,
      inFlight: this.#tasks.keys(),
    };
  }

  /** A stop is over, but the runtime was not asked since whether the container has ended. */
  #awaitsLook(action: Action): boolean {
    if (action.type !== "stop") return false;
    const tick = this.#work.stoppedAtTick.get(`${action.container} ${action.attempt}`);
    return tick !== undefined && this.#lookTick <= tick;
  }

  async #look(due: DueProbe): Promise<void> {
    const { runtime, dispatcher, clock, logger } = this.#parts;
    const { container, attempt, probe, kind } = due;
    const { uid } = this.plan;
    const handle = { uid, containerName: container.name, attempt: attempt.attempt, id: attempt.id };
    let outcome: ProbeOutcome | undefined;
    try {
      outcome = await look({ runtime, dispatcher }, handle, container, probe, this.#closing.signal);
    } catch (error) {
      logger.warn(
        { ...this.about, err: error, container: container.name, kind },
        "a probe failed to run",
      );
    }
    this.#probes.report(due, outcome, clock.now());
    if (outcome?.ok === false) {
      this.#tell(eventTexts.unhealthy(container.name, kind, outcome.output));
    } else if (outcome?.warning) {
      this.#tell(eventTexts.probeWarning(container.name, kind, outcome.output));
    }
    this.wake();
  }

  #tell(event: EventText): void {
    this.#parts.listener.event(podEvent(this.plan, event, this.#parts.clock.now()));
  }

  #publish(): void {
    const status = this.status();
    const { revision: _revision, ...extension } = status.extension ?? {};
    const text = JSON.stringify({ ...status, extension });
    if (text === this.#lastStatus) return;
    this.#lastStatus = text;
    this.#revision++;
    this.#parts.listener.status({
      ...status,
      extension: { ...extension, revision: this.#revision },
    });
  }
}
