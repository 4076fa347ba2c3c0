import type { RuntimeLogOptions } from "@interlink/plugin-sdk";
import { PluginError } from "@interlink/plugin-sdk";
import type { EngineClient } from "../engine/engine-client.ts";
import { isEngineError } from "../engine/engine-error.ts";
import { logBytes } from "../logs/log-bytes.ts";
import type { ContainerInspection } from "./engine-types.ts";
import { asRuntimeError } from "./runtime-errors.ts";

/** As `ContainerRuntime.logs`. Aborting ends it without an error. */
export async function* containerLogs(
  engine: EngineClient,
  id: string,
  options: RuntimeLogOptions,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  try {
    const { Config } = await engine.json<ContainerInspection>({
      method: "GET",
      path: `/containers/${id}/json`,
      signal,
    });
    const stream = await engine.stream({
      method: "GET",
      path: `/containers/${id}/logs`,
      query: {
        stdout: true,
        stderr: true,
        follow: options.follow,
        timestamps: options.timestamps,
        tail: options.tailLines ?? "all",
        since: options.sinceTime === undefined ? undefined : unixTime(options.sinceTime),
      },
      signal,
      // Following a silent container, the answer's head may come with its first line.
      ...(options.follow && { deadlineMs: Number.POSITIVE_INFINITY }),
    });
    try {
      yield* logBytes(stream, {
        multiplexed: !Config.Tty,
        timestamps: options.timestamps,
        ...(options.limitBytes !== undefined && { limitBytes: options.limitBytes }),
      });
    } finally {
      stream.destroy();
    }
  } catch (error) {
    if (signal.aborted) return;
    if (isEngineError(error, "not-found")) {
      throw new PluginError("not-found", "The log is gone: its container has been removed.", {
        cause: error,
      });
    }
    throw asRuntimeError("Unavailable", error);
  }
}

/** Seconds with a fraction of nine digits, as engines take it. */
function unixTime(milliseconds: number): string {
  const seconds = Math.floor(milliseconds / 1000);
  const rest = Math.floor(milliseconds - seconds * 1000);
  return `${seconds}.${String(rest).padStart(3, "0")}000000`;
}
