import { setMaxListeners } from "node:events";
import { KubeError } from "./errors.ts";

/**
 * Runs `act` with a signal that fires when `signal` fires or after `ms`, whichever is first; its reason is then a
 * KubeError `aborted` or `timeout`. Made by hand because `AbortSignal.any` on a signal that lives as long as the
 * process keeps every combined signal alive on Node 20.
 */
export async function withDeadline<T>(
  ms: number,
  signal: AbortSignal | undefined,
  doing: string,
  act: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const controller = new AbortController();
  const onAbort = (): void => controller.abort(abortedError(doing, signal?.reason));
  if (signal?.aborted === true) throw abortedError(doing, signal.reason);
  // Many calls and streams under one signal are normal here, not the leak that Node would warn of.
  if (signal !== undefined) setMaxListeners(0, signal);
  signal?.addEventListener("abort", onAbort, { once: true });
  const timer = setTimeout(
    () => controller.abort(new KubeError("timeout", `${doing}: no answer within ${ms} ms`)),
    ms,
  );
  try {
    return await act(controller.signal);
  } catch (error) {
    // Whatever the abort made fail downstream, the reason for the abort is the truth.
    throw controller.signal.aborted ? controller.signal.reason : error;
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener("abort", onAbort);
  }
}

export function abortedError(doing: string, cause?: unknown): KubeError {
  return new KubeError("aborted", `${doing}: given up because the caller stopped`, { cause });
}

/** The longest that a timer of Node can wait, some 24 days; set to more, it fires at once. */
export const LONGEST_TIMER_MS = 2 ** 31 - 1;

/**
 * Resolves after `ms` (at most {@link LONGEST_TIMER_MS}), or at once when `signal` fires. Never rejects: the caller
 * looks at the signal.
 */
export function pause(ms: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timer);
      signal.removeEventListener("abort", done);
      resolve();
    };
    const timer = setTimeout(done, Math.min(ms, LONGEST_TIMER_MS));
    signal.addEventListener("abort", done, { once: true });
  });
}
