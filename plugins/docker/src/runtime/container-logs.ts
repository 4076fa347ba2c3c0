import type { RuntimeLogOptions } from "@interlink/plugin-sdk";
import { PluginError } from "@interlink/plugin-sdk";
import type { EngineClient } from "../engine/engine-client.ts";
import { isEngineError } from "../engine/engine-error.ts";
import { LineWindow } from "../logs/line-window.ts";
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
    const multiplexed = !Config.Tty;
    const window = await tailWindow(engine, id, options, multiplexed, signal);
    const query = {
      ...since(options),
      // What a terminal shows is all on stdout, as with a kubelet.
      stdout: options.stream !== "Stderr",
      stderr: options.stream !== "Stdout",
      follow: options.follow,
      timestamps: options.timestamps,
      tail: window === undefined ? (options.tailLines ?? "all") : "all",
    };
    yield* read(engine, id, query, signal, (stream) =>
      logBytes(stream, {
        multiplexed,
        timestamps: options.timestamps,
        ...(window !== undefined && { window }),
        ...(options.limitBytes !== undefined && { limitBytes: options.limitBytes }),
      }),
    );
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

/**
 * Podman puts a last line that has no end behind the line before it when it is asked for the last lines, so there the
 * lines are counted first. `undefined`: the engine itself can be asked, or all lines are wanted.
 */
async function tailWindow(
  engine: EngineClient,
  id: string,
  options: RuntimeLogOptions,
  multiplexed: boolean,
  signal: AbortSignal,
): Promise<LineWindow | undefined> {
  const { tailLines, follow } = options;
  if (tailLines === undefined || !(await engine.isPodman())) return undefined;
  const counter = new LineWindow(Number.POSITIVE_INFINITY);
  const query = { ...since(options), stdout: true, stderr: true, follow: false };
  const format = { multiplexed, timestamps: false, window: counter };
  for await (const nothing of read(engine, id, query, signal, (log) => logBytes(log, format))) {
    void nothing;
  }
  const first = Math.max(0, counter.begun - tailLines) + 1;
  // What is written meanwhile belongs to what is followed, not to the last lines.
  return new LineWindow(first, follow ? Number.POSITIVE_INFINITY : counter.begun);
}

async function* read(
  engine: EngineClient,
  id: string,
  query: {
    stdout: boolean;
    stderr: boolean;
    follow: boolean;
    timestamps?: boolean;
    tail?: number | string;
    since?: string;
  },
  signal: AbortSignal,
  show: (stream: AsyncIterable<Uint8Array>) => AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  const stream = await engine.stream({
    method: "GET",
    path: `/containers/${id}/logs`,
    query,
    signal,
    // Following a silent container, the answer's head may come with its first line.
    ...(query.follow && { deadlineMs: Number.POSITIVE_INFINITY }),
  });
  try {
    yield* show(stream);
  } finally {
    stream.destroy();
  }
}

/** Seconds with a fraction of nine digits, as engines take it. */
function since({ sinceTime }: RuntimeLogOptions): { since?: string } {
  if (sinceTime === undefined) return {};
  const seconds = Math.floor(sinceTime / 1000);
  const rest = Math.floor(sinceTime - seconds * 1000);
  return { since: `${seconds}.${String(rest).padStart(3, "0")}000000` };
}
