import type { Action } from "./decision.ts";
import { actionKey } from "./decision.ts";
import { perform } from "./perform/perform.ts";
import { containerRecord } from "./record.ts";
import { aboutWork, type PodWork } from "./work.ts";

const FIRST_RETRY_MS = 1_000;
export const LONGEST_RETRY_MS = 60_000;

interface Task {
  readonly action: Action;
  readonly controller: AbortController;
  readonly promise: Promise<void>;
}

/** The actions of one pod that are under way, one per key, and when those that failed are tried again. */
export class PodTasks {
  readonly #work: PodWork;
  readonly #over: (action: Action, succeeded: boolean) => void;
  readonly #tasks = new Map<string, Task>();
  readonly #retries = new Map<string, { at: number; delayMs: number }>();

  /** `over` is called whenever one is, however it went. */
  constructor(work: PodWork, over: (action: Action, succeeded: boolean) => void) {
    this.#work = work;
    this.#over = over;
  }

  /** Keys of the actions under way. */
  keys(): Set<string> {
    return new Set(this.#tasks.keys());
  }

  /** Begin an action unless it is under way. Returns when it may be tried again if that is not yet. */
  begin(action: Action, now: number): number | undefined {
    const key = actionKey(action);
    if (this.#tasks.has(key)) return undefined;
    const retry = this.#retries.get(key);
    if (retry !== undefined && isAhead(retry.at, now)) return retry.at;
    const controller = new AbortController();
    const promise = this.#carryOut(key, action, controller.signal);
    this.#tasks.set(key, { action, controller, promise });
    return undefined;
  }

  /** End what must not go on: work for a pod that is to end, longer stops, hooks that have had their time. */
  abortSuperseded(actions: readonly Action[], now: number): void {
    const { deletion, eviction } = this.#work.record();
    const ending = deletion !== undefined || eviction !== undefined;
    const wanted = new Set(actions.map(actionKey));
    for (const [key, { action, controller }] of this.#tasks) {
      const gaveUp =
        (ending && /^(?:ensure|runPostStart)/.test(key)) ||
        (action.type === "stop" && !wanted.has(key) && actions.some((a) => replaces(a, action))) ||
        (isHook(action) && this.#hookIsOver(action, now));
      if (gaveUp) controller.abort(new Error("Given up: it has been overtaken."));
    }
  }

  /** Aborts all and waits for their end. */
  async close(reason: unknown): Promise<void> {
    for (const { controller } of this.#tasks.values()) controller.abort(reason);
    await Promise.all([...this.#tasks.values()].map(({ promise }) => promise));
  }

  async #carryOut(key: string, action: Action, signal: AbortSignal): Promise<void> {
    let succeeded = false;
    try {
      await perform(this.#work, action, signal);
      this.#retries.delete(key);
      succeeded = true;
    } catch (error) {
      if (!signal.aborted) this.#failed(key, action, error);
    }
    this.#tasks.delete(key);
    this.#over(action, succeeded);
  }

  #failed(key: string, action: Action, error: unknown): void {
    const { parts } = this.#work;
    const { clock, logger, random } = parts;
    const before = this.#retries.get(key)?.delayMs ?? FIRST_RETRY_MS / 2;
    const delayMs = Math.min(before * 2, LONGEST_RETRY_MS);
    this.#retries.set(key, { at: clock.now() + delayMs * (0.75 + random() / 4), delayMs });
    logger.warn(
      { ...aboutWork(this.#work), err: error, action, delayMs },
      "a step failed; trying again",
    );
  }

  /** Its container has ended, or is to be stopped now whatever the hook does. */
  #hookIsOver(action: Hook, now: number): boolean {
    const { current } = containerRecord(this.#work.record(), action.container);
    if (current?.attempt !== action.attempt || current.state === "exited") return true;
    return (
      action.type === "runPreStop" && current.stop !== undefined && now >= current.stop.deadline
    );
  }
}

type Hook = Action & { type: "runPostStart" | "runPreStop" };

function isHook(action: Action): action is Hook {
  return action.type === "runPostStart" || action.type === "runPreStop";
}

function replaces(action: Action, old: Action & { type: "stop" }): boolean {
  return (
    action.type === "stop" && action.container === old.container && action.attempt === old.attempt
  );
}

/** Further ahead than any retry lies what was put there before the clock was set back. */
function isAhead(retryAt: number, now: number): boolean {
  return retryAt > now && retryAt <= now + LONGEST_RETRY_MS;
}
