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
  const serializers = level === "debug" ? {} : { serializers: { err: errorInBrief } };
  const options = {
    level,
    base,
    timestamp: pino.stdTimeFunctions.isoTime,
    ...mixin,
    ...serializers,
  };
  return to === undefined ? pino(options) : pino(options, to);
}

/**
 * Errors that were foreseen have a code, and a sentence that says enough; where in the program they were made is for level
 * debug. All others are told with their stack.
 */
function errorInBrief(error: unknown): unknown {
  if (!(error instanceof Error) || error.message === "")
    return pino.stdSerializers.err(error as Error);
  const { code } = error as { code?: unknown };
  // Node gives its codes ERR_… to wrong calls as well.
  if (typeof code !== "string" || code.startsWith("ERR_")) return pino.stdSerializers.err(error);
  const why = error.cause instanceof Error ? error.cause.message : "";
  const message = error.message.includes(why) ? error.message : `${error.message}: ${why}`;
  return { type: error.name, code, message };
}

/** Resolves when the signal fires: how a command that serves waits for its end. */
export function untilAborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve(), { once: true });
  });
}
