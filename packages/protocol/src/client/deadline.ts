import { setMaxListeners } from "node:events";
import { ProtocolError } from "../errors.ts";

/** A signal that fires when the caller's does or when time is over, and says which. */
export interface Deadline extends Disposable {
  readonly signal: AbortSignal;
  /** Stops the clock (headers have come); the caller's signal goes on counting. */
  stopClock(): void;
  /** Fires the signal now. */
  abort(reason: ProtocolError): void;
}

/**
 * `AbortSignal.any` and `AbortSignal.timeout` without their cost: nothing stays registered on the caller's signal,
 * which often lives as long as the process. Dispose it when the call has ended.
 */
export function startDeadline(
  caller: AbortSignal | undefined,
  timeoutMs: number | undefined,
  what: string,
): Deadline {
  const controller = new AbortController();
  const onCaller = () =>
    controller.abort(
      new ProtocolError("aborted", `${what}: the caller gave up`, { cause: caller?.reason }),
    );
  const timer =
    timeoutMs === undefined
      ? undefined
      : setTimeout(
          () =>
            controller.abort(
              new ProtocolError("timeout", `${what}: no answer within ${timeoutMs / 1000} s`),
            ),
          timeoutMs,
        );
  if (caller?.aborted === true) onCaller();
  else if (caller !== undefined) {
    // Hundreds of calls under one signal are normal here, not the leak that Node would warn of.
    setMaxListeners(0, caller);
    caller.addEventListener("abort", onCaller, { once: true });
  }
  const stopClock = () => clearTimeout(timer);
  return {
    signal: controller.signal,
    stopClock,
    abort: (reason) => controller.abort(reason),
    [Symbol.dispose]: () => {
      stopClock();
      caller?.removeEventListener("abort", onCaller);
    },
  };
}
