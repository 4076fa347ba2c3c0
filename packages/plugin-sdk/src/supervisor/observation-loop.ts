import type { Logger } from "pino";
import type { ContainerRuntime, ObservedContainer } from "../runtime/container-runtime.ts";
import type { Clock } from "./clock.ts";
import { withDeadline } from "./with-deadline.ts";

/** Hints that come within this time are asked about together. */
const GATHER_MS = 10;
const LIST_DEADLINE_MS = 30_000;
const FIRST_RETRY_MS = 500;
const LONGEST_RETRY_MS = 30_000;

export interface Look {
  /** By pod UID. */
  containers: ReadonlyMap<string, readonly ObservedContainer[]>;
  /** Absent: all pods were asked about. */
  only?: ReadonlySet<string>;
  /** Number of this look; see {@link ObservationLoop.tick}. */
  tick: number;
}

export interface ObservationLoopOptions {
  runtime: ContainerRuntime;
  clock: Clock;
  logger: Logger;
  intervalMs: number;
  deliver(look: Look): void;
  /** Jitter; 0 ≤ random < 1. */
  random: () => number;
}

/**
 * Asks the runtime: for everything at an interval, for single pods soon after a hint. One question at a time, so the
 * cost does not grow with the number of hints. A failed question changes nothing and is repeated with back-off.
 */
export class ObservationLoop {
  readonly #options: ObservationLoopOptions;
  readonly #closing = new AbortController();
  #hints = new Set<string>();
  #wantsAll = true;
  #nextAllAt = 0;
  #retryMs = 0;
  #notBefore = 0;
  #tick = 0;
  #running: Promise<void> | undefined;
  #cancelTimer: (() => void) | undefined;
  /** The last question was not answered. */
  #isSilent = false;

  constructor(options: ObservationLoopOptions) {
    this.#options = options;
  }

  /** Number of the newest look that was begun. What is made now is seen for sure by looks with a higher number. */
  get tick(): number {
    return this.#tick;
  }

  /** Something may have happened to this pod. */
  hint(uid: string): void {
    this.#hints.add(uid);
    this.#arm();
  }

  /** Ask about everything now. Resolves after the answer, or the failure. */
  async all(): Promise<void> {
    this.#wantsAll = true;
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
    // A question under way may have been asked too early to count.
    await this.#running;
    await this.#ask();
  }

  async close(): Promise<void> {
    this.#closing.abort(new Error("The plugin is being stopped."));
    this.#cancelTimer?.();
    await this.#running;
  }

  #arm(): void {
    if (this.#running !== undefined || this.#closing.signal.aborted) return;
    const { clock, intervalMs } = this.#options;
    const now = clock.now();
    // What lies further ahead was put there before the clock was set back.
    this.#nextAllAt = Math.min(this.#nextAllAt, now + intervalMs);
    this.#notBefore = Math.min(this.#notBefore, now + LONGEST_RETRY_MS);
    const soon = this.#hints.size > 0 ? now + GATHER_MS : this.#nextAllAt;
    const at = Math.max(this.#wantsAll ? 0 : soon, this.#notBefore);
    this.#cancelTimer?.();
    this.#cancelTimer = clock.at(at, () => void this.#ask());
  }

  #ask(): Promise<void> {
    if (this.#closing.signal.aborted) return Promise.resolve();
    this.#running ??= this.#question().finally(() => {
      this.#running = undefined;
      this.#arm();
    });
    return this.#running;
  }

  async #question(): Promise<void> {
    const { runtime, clock, logger, intervalMs, random } = this.#options;
    // Without a hint it is the interval that is over, even if the clock was set back meanwhile.
    const all = this.#wantsAll || this.#hints.size === 0 || clock.now() >= this.#nextAllAt;
    const only = all ? undefined : this.#hints;
    const asked = this.#hints;
    this.#hints = new Set();
    this.#wantsAll = false;
    const tick = ++this.#tick;
    try {
      const listed = await withDeadline(this.#closing.signal, LIST_DEADLINE_MS, (signal) =>
        runtime.list(signal, only),
      );
      if (all) this.#nextAllAt = clock.now() + intervalMs;
      if (this.#isSilent) logger.info("the container runtime answers again");
      this.#isSilent = false;
      this.#retryMs = 0;
      this.#options.deliver({ containers: byUid(listed), ...(only && { only }), tick });
    } catch (error) {
      if (this.#closing.signal.aborted) return;
      this.#isSilent = true;
      for (const uid of asked) this.#hints.add(uid);
      this.#wantsAll ||= all;
      this.#retryMs = Math.min(Math.max(this.#retryMs * 2, FIRST_RETRY_MS), LONGEST_RETRY_MS);
      this.#notBefore = clock.now() + this.#retryMs * (0.5 + random() / 2);
      logger.warn({ err: error }, "the container runtime did not say what it runs; asking again");
    }
  }
}

function byUid(listed: readonly ObservedContainer[]): Map<string, ObservedContainer[]> {
  const pods = new Map<string, ObservedContainer[]>();
  for (const container of listed) {
    const own = pods.get(container.uid);
    if (own === undefined) pods.set(container.uid, [container]);
    else own.push(container);
  }
  return pods;
}
