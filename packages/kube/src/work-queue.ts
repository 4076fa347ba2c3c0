// Keys that want work, as client-go's workqueue has them. For each key:
//
//   absent ──add──▶ queued ──a worker takes it──▶ running ──done──▶ absent
//                     ▲                            │   │
//                     │◀── done, was added again ──┘   │ failed, or asked for later
//                     │                                ▼
//                     └────── time is up, or add ── delayed
//
// A key is never queued and running at once, so it is never worked on twice at the same time; what is added while it
// runs is not lost but runs once more after it.

import { type BackoffOptions, backoffMs } from "./backoff.ts";
import { LONGEST_TIMER_MS } from "./deadline.ts";
import { KubeError } from "./errors.ts";

/** Who goes first when workers are short. */
export type Priority = "urgent" | "normal" | "background";

const priorities: readonly Priority[] = ["urgent", "normal", "background"];

/** What a run may ask for: to be run again after a while. */
export interface WorkAgain {
  againInMs: number;
}

/** What is done with a key, and how many at once. */
export interface WorkQueueOptions {
  /** Keys worked on at once. */
  concurrency: number;
  /** Throwing means: try again with back-off, for ever. */
  work: (key: string, signal: AbortSignal) => Promise<WorkAgain | void>;
  /** Told each failure (it must not throw), with how many there were in a row and the wait before the next try. */
  failed?: (key: string, error: unknown, failures: number, waitMs: number) => void;
  /** Default 500 ms doubling to 2 min, up to half as much again. */
  backoff?: BackoffOptions;
  random?: () => number;
}

/** How many keys are where. */
export interface WorkQueueStats {
  queued: number;
  running: number;
  delayed: number;
  /** Keys whose last run failed. */
  failing: number;
}

/** Of keys whose work fails. */
export const defaultWorkBackoff: BackoffOptions = { firstMs: 500, capMs: 120_000, jitter: 0.5 };

/**
 * Works on keys: each by one worker at a time, several at once, again after a failure. A key that is added while it is
 * worked on is worked on once more.
 */
export class WorkQueue implements AsyncDisposable {
  readonly #options: WorkQueueOptions;
  readonly #queued: Record<Priority, Set<string>> = {
    urgent: new Set(),
    normal: new Set(),
    background: new Set(),
  };
  /** Running keys; the value is the priority to run once more with, if it was added meanwhile. */
  readonly #running = new Map<string, Priority | undefined>();
  readonly #delayed = new Map<string, { timer: NodeJS.Timeout; at: number; priority: Priority }>();
  readonly #failures = new Map<string, number>();
  readonly #stop = new AbortController();
  #idleWaiters: (() => void)[] = [];

  constructor(options: WorkQueueOptions) {
    this.#options = options;
  }

  /** Wants `key` worked on as soon as a worker is free. Ends a delay; raises the priority, never lowers it. */
  add(key: string, priority: Priority = "normal"): void {
    if (this.#stop.signal.aborted) return;
    const delayed = this.#delayed.get(key);
    clearTimeout(delayed?.timer);
    this.#delayed.delete(key);
    const wanted = delayed === undefined ? priority : higher(priority, delayed.priority);
    if (this.#running.has(key)) {
      this.#running.set(key, higher(wanted, this.#running.get(key)));
      return;
    }
    const already = priorities.find((one) => this.#queued[one].has(key));
    const now = higher(wanted, already);
    if (already !== undefined && already !== now) this.#queued[already].delete(key);
    this.#queued[now].add(key);
    this.#fill();
  }

  /**
   * Wants `key` worked on in `ms` at the latest: earlier when no timer can wait for so long. A key that is queued or due
   * earlier stays so.
   */
  addAfter(key: string, ms: number, priority: Priority = "normal"): void {
    if (this.#stop.signal.aborted) return;
    if (priorities.some((one) => this.#queued[one].has(key))) return;
    const wait = Math.min(ms, LONGEST_TIMER_MS);
    const at = Date.now() + wait;
    const known = this.#delayed.get(key);
    if (known !== undefined && known.at <= at) return;
    clearTimeout(known?.timer);
    const timer = setTimeout(() => this.add(key, priority), wait);
    this.#delayed.set(key, { timer, at, priority });
  }

  /** Forgets a key that waits and its failures. A run in progress goes on, and is repeated should it fail. */
  forget(key: string): void {
    clearTimeout(this.#delayed.get(key)?.timer);
    this.#delayed.delete(key);
    this.#failures.delete(key);
    for (const priority of priorities) this.#queued[priority].delete(key);
    if (this.#running.has(key)) this.#running.set(key, undefined);
    this.#settle();
  }

  stats(): WorkQueueStats {
    return {
      queued: priorities.reduce((sum, one) => sum + this.#queued[one].size, 0),
      running: this.#running.size,
      delayed: this.#delayed.size,
      failing: this.#failures.size,
    };
  }

  /** Resolves when nothing is queued or running. Keys that wait for a later time do not count. */
  idle(): Promise<void> {
    if (this.#isIdle()) return Promise.resolve();
    return new Promise((resolve) => this.#idleWaiters.push(resolve));
  }

  /** Drops what waits, aborts what runs, and resolves when the last run has ended. */
  async close(): Promise<void> {
    this.#stop.abort();
    for (const { timer } of this.#delayed.values()) clearTimeout(timer);
    this.#delayed.clear();
    for (const priority of priorities) this.#queued[priority].clear();
    await this.idle();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #fill(): void {
    while (this.#running.size < this.#options.concurrency) {
      const key = this.#take();
      if (key === undefined) return;
      this.#running.set(key, undefined);
      void this.#run(key);
    }
  }

  #take(): string | undefined {
    for (const priority of priorities) {
      const waiting = this.#queued[priority];
      const [key] = waiting;
      if (key === undefined) continue;
      waiting.delete(key);
      return key;
    }
    return undefined;
  }

  /** Never rejects: a failure becomes a later try. */
  async #run(key: string): Promise<void> {
    let later: number | undefined;
    try {
      const again = await this.#options.work(key, this.#stop.signal);
      this.#failures.delete(key);
      later = again?.againInMs;
    } catch (error) {
      later = this.#noteFailure(key, error);
    }
    const dirty = this.#running.get(key);
    this.#running.delete(key);
    if (dirty !== undefined) this.add(key, dirty);
    else if (later !== undefined) this.addAfter(key, later);
    this.#fill();
    this.#settle();
  }

  #noteFailure(key: string, error: unknown): number {
    const failures = (this.#failures.get(key) ?? 0) + 1;
    this.#failures.set(key, failures);
    const { backoff = defaultWorkBackoff, random = Math.random } = this.#options;
    const asked = error instanceof KubeError ? (error.retryAfterMs ?? 0) : 0;
    const wait = Math.max(asked, backoffMs(backoff, failures, random()));
    if (!this.#stop.signal.aborted) this.#options.failed?.(key, error, failures, wait);
    return wait;
  }

  #isIdle(): boolean {
    return this.#running.size === 0 && priorities.every((one) => this.#queued[one].size === 0);
  }

  #settle(): void {
    if (!this.#isIdle()) return;
    const waiters = this.#idleWaiters;
    this.#idleWaiters = [];
    for (const resolve of waiters) resolve();
  }
}

function higher(a: Priority, b: Priority | undefined): Priority {
  if (b === undefined) return a;
  return priorities.indexOf(a) <= priorities.indexOf(b) ? a : b;
}
