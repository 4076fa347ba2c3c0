import type { ServerResponse } from "node:http";
import { PluginError } from "../plugin-error.ts";

/** A signal for one call, and what must be called when the call is over. */
export interface CallSignal extends Disposable {
  readonly signal: AbortSignal;
}

/**
 * Fires when the caller leaves before its answer is complete, when `deadlineMs` are over, or when one of `others` does.
 */
export function callSignal(
  response: ServerResponse,
  options: { deadlineMs?: number; others?: readonly AbortSignal[] },
): CallSignal {
  const { deadlineMs, others = [] } = options;
  const controller = new AbortController();
  const left = (): void => {
    if (response.writableFinished) return;
    controller.abort(new PluginError("unavailable", "The caller has left."));
  };
  const ending = (): void => {
    controller.abort(new PluginError("unavailable", "The plugin is shutting down."));
  };
  const late = (): void => {
    controller.abort(
      new PluginError("unavailable", `The plugin was not done after ${deadlineMs} ms. Try again.`),
    );
  };
  response.once("close", left);
  for (const other of others) {
    if (other.aborted) ending();
    other.addEventListener("abort", ending);
  }
  const timer = deadlineMs === undefined ? undefined : setTimeout(late, deadlineMs);
  return {
    signal: controller.signal,
    [Symbol.dispose]() {
      clearTimeout(timer);
      response.off("close", left);
      for (const other of others) other.removeEventListener("abort", ending);
    },
  };
}

/** The outcome of `work`, or the signal's reason as soon as it fires: a provider that ignores its signal is not awaited. */
export async function unlessAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  using aborted = rejectionOf(signal);
  // Its error, if it comes later, has no one left to hear it.
  work.catch(() => undefined);
  return await Promise.race([work, aborted.promise]);
}

/** A promise that rejects with the signal's reason when it fires; disposing lets go of the signal. */
function rejectionOf(signal: AbortSignal): Disposable & { promise: Promise<never> } {
  let fire: () => void = () => undefined;
  const promise = new Promise<never>((_resolve, reject) => {
    fire = () => reject(signal.reason as Error);
  });
  promise.catch(() => undefined);
  if (signal.aborted) fire();
  signal.addEventListener("abort", fire);
  return { promise, [Symbol.dispose]: () => signal.removeEventListener("abort", fire) };
}
