import { type Logger, pino } from "pino";

/** The log of one process: JSON lines on standard output, with the name of the part that speaks. */
export function openLog(part: string, level: string): Logger {
  return pino({ name: part, level, base: { part }, timestamp: pino.stdTimeFunctions.isoTime });
}

/** Resolves when the signal fires: how a command that serves waits for its end. */
export function untilAborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve(), { once: true });
  });
}
