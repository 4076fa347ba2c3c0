import { LONGEST_TIMER_MS } from "./clock.ts";

/**
 * `act` with a signal that fires when `parent` does, or after `milliseconds` (then its reason is a `TimeoutError`).
 * Leaves nothing on `parent`, which may live as long as the process; `AbortSignal.any` would.
 */
export async function withDeadline<T>(
  parent: AbortSignal,
  milliseconds: number,
  act: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const controller = new AbortController();
  const follow = () => controller.abort(parent.reason);
  const timer = setTimeout(
    () => controller.abort(new DOMException("It took too long.", "TimeoutError")),
    Math.min(milliseconds, LONGEST_TIMER_MS),
  );
  timer.unref();
  if (parent.aborted) follow();
  else parent.addEventListener("abort", follow, { once: true });
  try {
    return await act(controller.signal);
  } finally {
    clearTimeout(timer);
    parent.removeEventListener("abort", follow);
  }
}
