import type { LogOptions } from "@interlink/protocol";
import { ZERO_TIME } from "@interlink/protocol";
import type { RuntimeLogOptions } from "../runtime/container-runtime.ts";

/**
 * The options of the wire as `readLog` and `ContainerRuntime.logs` take them: 0 and Go's zero time mean "not set",
 * seconds become a time before `now` (milliseconds since the epoch). `Previous` is for the caller: it picks the file.
 */
export function runtimeLogOptions(options: LogOptions, now: number): RuntimeLogOptions {
  const sinceTime = Date.parse(options.SinceTime);
  const hasSinceTime = options.SinceTime !== ZERO_TIME && Number.isFinite(sinceTime);
  return {
    follow: options.Follow,
    timestamps: options.Timestamps,
    ...((options.Tail > 0 || options.TailIsSet) && { tailLines: options.Tail }),
    ...(options.Bytes > 0 && { limitBytes: options.Bytes }),
    ...(options.Stream && { stream: options.Stream }),
    ...(options.SinceSeconds > 0
      ? { sinceTime: now - options.SinceSeconds * 1000 }
      : hasSinceTime && { sinceTime }),
  };
}
