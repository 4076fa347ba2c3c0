import { setMaxListeners } from "node:events";

/** A signal that fires with its parent or after some time, and lets go of both when disposed. */
export interface Deadline extends Disposable {
  readonly signal: AbortSignal;
  /** Whether the time ran out, as against the parent having fired. */
  readonly expired: boolean;
}

/**
 * `AbortSignal.any` keeps every derived signal alive with a long-lived parent on Node 20; this one does not.
 * `milliseconds` undefined: only the parent counts.
 */
export function deadline(parent: AbortSignal, milliseconds: number | undefined): Deadline {
  // Any number of calls may wait under one signal; each takes its listener off again.
  setMaxListeners(0, parent);
  const controller = new AbortController();
  let expired = false;
  const follow = (): void => controller.abort(parent.reason);
  if (parent.aborted) follow();
  else parent.addEventListener("abort", follow, { once: true });
  const timer =
    milliseconds === undefined
      ? undefined
      : setTimeout(() => {
          expired = true;
          controller.abort(new Error(`no answer within ${milliseconds} ms`));
        }, milliseconds);
  return {
    signal: controller.signal,
    get expired() {
      return expired;
    },
    [Symbol.dispose]() {
      clearTimeout(timer);
      parent.removeEventListener("abort", follow);
    },
  };
}
