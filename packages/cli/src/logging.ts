import { type DestinationStream, type Logger, pino } from "pino";

/** What completes the lines of a log (see `LogScope` of the plugin SDK). */
export interface LineFields {
  fields(line: object): object;
}

/**
 * The log of one process: JSON lines, on standard output unless `to` is given. `name` is the part that speaks; where
 * several speak in one process, each child logger brings its own, and a key must not stand twice in a line.
 */
export function openLog(
  name: string | undefined,
  level: string,
  to?: DestinationStream,
  scope?: LineFields,
): Logger {
  const base = name === undefined ? null : { name };
  const mixin = scope && { mixin: (line: object) => scope.fields(line) };
  const options = { level, base, timestamp: pino.stdTimeFunctions.isoTime, ...mixin };
  return to === undefined ? pino(options) : pino(options, to);
}

/** Resolves when the signal fires: how a command that serves waits for its end. */
export function untilAborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve(), { once: true });
  });
}
