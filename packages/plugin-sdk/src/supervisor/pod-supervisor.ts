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
import type { RemotePodStatus, RetrievedPodData } from "@interlink/protocol";
import type { Job } from "../jobs/job-store.ts";
import type { ObservedContainer } from "../runtime/container-runtime.ts";
import { withoutFuture } from "./clock-set-back.ts";
import { decide } from "./decide.ts";
import type { Action, PodMemory } from "./decision.ts";
import { actionKey } from "./decision.ts";
import type { EventText } from "./event-texts.ts";
import { eventTexts } from "./event-texts.ts";
import type { Observation } from "./observe.ts";
import { observe } from "./observe.ts";
import { perform } from "./perform.ts";
import type { PlannedPod } from "./planned-pod.ts";
import { planPod } from "./planned-pod.ts";
import type { PodParts } from "./pod-parts.ts";
import { podEvent } from "./pod-parts.ts";
import { podStatus } from "./pod-status.ts";
import { look } from "./probes/look.ts";
import type { DueProbe } from "./probes/pod-probes.ts";
import { PodProbes } from "./probes/pod-probes.ts";
import type { ProbeOutcome } from "./probes/probe-worker.ts";
import { readEndedMessages } from "./read-ended-messages.ts";
import type { PodRecord } from "./record.ts";
import { containerRecord, withAttempt } from "./record.ts";
import type { PodWork } from "./work.ts";

const SAVE_AFTER_MS = 500;
const FIRST_RETRY_MS = 1_000;
const LONGEST_RETRY_MS = 60_000;

interface Task {
  readonly action: Action;
  readonly controller: AbortController;
  readonly promise: Promise<void>;
}

export class PodSupervisor {
  readonly plan: PlannedPod;
  readonly jobId: string;
  readonly #parts: PodParts;
  readonly #work: PodWork;
  readonly #probes: PodProbes;
  readonly #tasks = new Map<string, Task>();
  readonly #retries = new Map<string, { at: number; delayMs: number }>();
  readonly #closing = new AbortController();
  readonly #looks = new Set<Promise<void>>();
  #record: PodRecord;
  #lookTick = -1;
  #pendingLook: { containers: readonly ObservedContainer[]; tick: number } | undefined;
  /** Until the runtime was asked once, nothing is done: the pod may be running already. */
  #isSynced: boolean;
  #turn: Promise<void> | undefined;
  #wantsTurn = false;
  #cancelTimer: (() => void) | undefined;
  #cancelSave: (() => void) | undefined;
  #saved: PodRecord;
  #startedUnsaved = false;
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
    this.plan = planPod(data.pod);
    this.jobId = job.jobId ?? `${options.plugin}-${job.uid}`;
    this.#record = job.record;
    this.#saved = job.record;
    this.#isSynced = options.isNew;
    this.#probes = new PodProbes(this.plan);
    // Counts on from the time, so that it does not go back over a restart.
    this.#revision = parts.clock.now();
    this.#work = {
      parts,
      plan: this.plan,
      jobId: this.jobId,
      images: new Map(),
      madeAtTick: new Map(),
      stoppedAtTick: new Map(),
      observed: [],
      sandbox: "unknown",
      ...(options.isNew && { data }),
      record: () => this.#record,
      change: (change) => {
        this.#record = change(this.#record);
      },
      save: () => this.#save(),
      started: () => {
        this.#startedUnsaved = true;
      },
      tell: (event) => this.#tell(event),
      finalStatus: () => this.status(),
    };
  }

  /** Now. Never asks anybody. */
  status(): RemotePodStatus {
    const { runtime, clock, hostIP } = this.#parts;
    return podStatus(this.plan, this.#record, {
      runtimeType: runtime.type,
      jobId: this.jobId,
      ...(hostIP !== undefined && { hostIP }),
      probes: this.#probes.summaries(),
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

  /** Durable when it resolves. Repeatable; the earliest deadline counts. */
  async requestDelete(graceSeconds: number): Promise<void> {
    const now = this.#parts.clock.now();
    const deadline = now + Math.max(0, graceSeconds) * 1000;
    const before = this.#record.deletion;
    if (before === undefined || deadline < before.deadline) {
      const requestedAt = before?.requestedAt ?? now;
      this.#record = { ...this.#record, deletion: { requestedAt, deadline } };
    }
    await this.#save();
    this.#parts.checkpoint("delete.intent-written");
    this.wake();
  }

  /** Stop supervising; containers go on running. */
  async close(): Promise<void> {
    this.#closing.abort(new Error("The plugin is being stopped."));
    this.#cancelTimer?.();
    this.#cancelSave?.();
    await this.#turn;
    for (const { controller } of this.#tasks.values())
      controller.abort(this.#closing.signal.reason);
    await Promise.all([...this.#tasks.values()].map(({ promise }) => promise));
    await Promise.all(this.#looks);
    if (this.#saved !== this.#record && this.#parts.store.get(this.plan.uid) !== undefined) {
      await this.#save();
    }
  }

  async #turns(): Promise<void> {
    // Others of the same moment first: one turn for all of them.
    await Promise.resolve();
    while (this.#wantsTurn && !this.#closing.signal.aborted) {
      this.#wantsTurn = false;
      try {
        await this.#oneTurn();
      } catch (error) {
        this.#parts.logger.error({ err: error, uid: this.plan.uid }, "a pod's turn failed");
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
    await this.#deletionOnDisk();
    if (!this.#isSynced) {
      this.#publish();
      return;
    }
    const now = clock.now();
    const decision = decide({ plan: this.plan, record: this.#record, memory: this.#memory(), now });
    this.#record = decision.record;
    for (const event of decision.events) this.#tell(event);
    if (this.#record !== this.#saved) this.#saveSoon();
    this.#publish();
    this.#abortSuperseded(decision.actions, now);
    let wakeAt = decision.wakeAt ?? Number.POSITIVE_INFINITY;
    for (const action of decision.actions) {
      const key = actionKey(action);
      if (this.#tasks.has(key) || this.#awaitsLook(action)) continue;
      const retry = this.#retries.get(key);
      if (retry !== undefined && isAhead(retry.at, now)) wakeAt = Math.min(wakeAt, retry.at);
      else this.#begin(key, action);
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
  async #deletionOnDisk(): Promise<void> {
    while (this.#record.deletion !== this.#saved.deletion) await this.#save();
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
    if (after === before) return;
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

  #memory(): PodMemory {
    return {
      sandbox: this.#work.sandbox,
      images: this.#work.images,
      probes: this.#probes.summaries(),
      observed: this.#work.observed,
      inFlight: new Set(this.#tasks.keys()),
    };
  }

  /** A stop is over, but the runtime was not asked since whether the container has ended. */
  #awaitsLook(action: Action): boolean {
    if (action.type !== "stop") return false;
    const tick = this.#work.stoppedAtTick.get(`${action.container} ${action.attempt}`);
    return tick !== undefined && this.#lookTick <= tick;
  }

  #begin(key: string, action: Action): void {
    const controller = new AbortController();
    const promise = this.#carryOut(key, action, controller.signal);
    this.#tasks.set(key, { action, controller, promise });
  }

  async #carryOut(key: string, action: Action, signal: AbortSignal): Promise<void> {
    try {
      await perform(this.#work, action, signal);
      this.#retries.delete(key);
      // There is nothing left to supervise.
      if (action.type === "finish") this.#closing.abort(new Error("The pod is gone."));
    } catch (error) {
      if (!signal.aborted) this.#failed(key, action, error);
    }
    this.#tasks.delete(key);
    this.wake();
  }

  #failed(key: string, action: Action, error: unknown): void {
    const { clock, logger, random } = this.#parts;
    const before = this.#retries.get(key)?.delayMs ?? FIRST_RETRY_MS / 2;
    const delayMs = Math.min(before * 2, LONGEST_RETRY_MS);
    this.#retries.set(key, { at: clock.now() + delayMs * (0.75 + random() / 4), delayMs });
    logger.warn({ err: error, uid: this.plan.uid, action, delayMs }, "a step failed; trying again");
  }

  /** End what must not go on: work for a pod that is being deleted, longer stops, hooks that have had their time. */
  #abortSuperseded(actions: readonly Action[], now: number): void {
    const deleting = this.#record.deletion !== undefined;
    const wanted = new Set(actions.map(actionKey));
    for (const [key, { action, controller }] of this.#tasks) {
      const gaveUp =
        (deleting && /^(?:ensure|runPostStart)/.test(key)) ||
        (action.type === "stop" && !wanted.has(key) && actions.some((a) => replaces(a, action))) ||
        (action.type === "runPreStop" && this.#preStopIsOver(action.container, now)) ||
        (isHook(action) && this.#hasEnded(action.container, action.attempt));
      if (gaveUp) controller.abort(new Error("Given up: it has been overtaken."));
    }
  }

  #hasEnded(container: string, attempt: number): boolean {
    const { current } = containerRecord(this.#record, container);
    return current?.attempt !== attempt || current.state === "exited";
  }

  #preStopIsOver(container: string, now: number): boolean {
    const stop = containerRecord(this.#record, container).current?.stop;
    return stop !== undefined && now >= stop.deadline;
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
      logger.warn({ err: error, uid, container: container.name, kind }, "a probe failed to run");
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

  #saveSoon(): void {
    const { clock, logger } = this.#parts;
    this.#cancelSave ??= clock.at(clock.now() + SAVE_AFTER_MS, () => {
      this.#cancelSave = undefined;
      this.#save().catch((error: unknown) => {
        if (this.#closing.signal.aborted || this.#work.sandbox === "removed") return;
        logger.error({ err: error, uid: this.plan.uid }, "a pod's record could not be written");
        this.#saveSoon();
      });
    });
  }

  async #save(): Promise<void> {
    const started = this.#startedUnsaved;
    let written = this.#record;
    await this.#parts.store.update(this.plan.uid, (job) => {
      written = this.#record;
      if (job.record === written) return undefined;
      const { deletion, containers } = written;
      const begun = Object.values(containers).some(({ current }) => current !== undefined);
      const phase = deletion !== undefined ? "deleting" : begun ? "submitted" : "intent";
      return { phase, ...(begun && { jobId: this.jobId }), record: written };
    });
    this.#saved = written;
    if (started && this.#startedUnsaved) {
      this.#startedUnsaved = false;
      this.#parts.checkpoint("create.recorded");
    }
  }
}

/** Further ahead than any retry lies what was put there before the clock was set back. */
function isAhead(retryAt: number, now: number): boolean {
  return retryAt > now && retryAt <= now + LONGEST_RETRY_MS;
}

function isHook(action: Action): action is Action & { type: "runPostStart" | "runPreStop" } {
  return action.type === "runPostStart" || action.type === "runPreStop";
}

function replaces(action: Action, old: Action & { type: "stop" }): boolean {
  return (
    action.type === "stop" && action.container === old.container && action.attempt === old.attempt
  );
}
