import { Readable } from "node:stream";
import { setTimeout as delay } from "node:timers/promises";
import type { ContainerHandle, StreamRequest } from "@interlink/plugin-sdk";
import type { ProcessEnd, ProcessStreams } from "@interlink/protocol";
import type { Logger } from "pino";
import type { EngineClient } from "../engine/engine-client.ts";
import { isEngineError } from "../engine/engine-error.ts";
import type { ContainerInspection } from "../runtime/engine-types.ts";
import { notRunning } from "../runtime/exec.ts";
import { engineStreams } from "./engine-streams.ts";
import { NO_DETACH_KEYS } from "./no-detach-keys.ts";
import { TerminalResizer } from "./terminal-resizer.ts";

const END_TRIES = 50;
const END_INTERVAL_MS = 100;

/** As `ContainerRuntime.openAttach`. Leaving changes nothing for the container. */
export async function openAttach(
  engine: EngineClient,
  { id, uid }: Pick<ContainerHandle, "id" | "uid">,
  request: StreamRequest,
  logger: Logger,
  signal: AbortSignal,
): Promise<ProcessStreams> {
  const { Config, State } = await inspect(engine, id, signal);
  if (State.Status !== "running") {
    throw notRunning(new Error(`The container is not running (it is ${State.Status}).`));
  }
  // Whether there is a terminal, and an input, was settled when the container was made.
  const { Tty: terminal } = Config;
  const { stdin, stdout } = request;
  const stderr = request.stderr && !terminal;
  const wanted = { stdin, stdout, stderr };
  const spare = Config.OpenStdin === true && !stdin && !terminal && (await engine.isPodman());
  const connection = await (spare ? follow : attach)(engine, id, wanted, signal).catch(
    (error: unknown) => {
      throw isEngineError(error, "conflict", "not-found") ? notRunning(error) : error;
    },
  );
  const over = new AbortController();
  const resizer = new TerminalResizer(engine, `/containers/${id}`, over.signal, (error) => {
    logger.debug({ err: error, uid, container: id }, "the engine did not resize a terminal");
  });
  return engineStreams(
    connection,
    { stdin, stdout, stderr },
    {
      terminal,
      resize: (size) => resizer.resize(size),
      end: async () => {
        over.abort();
        return endOf(engine, id);
      },
      left: () => over.abort(),
    },
  );
}

type Wanted = Omit<StreamRequest, "tty">;

async function attach(
  engine: EngineClient,
  id: string,
  wanted: Wanted,
  signal: AbortSignal,
): Promise<Readable> {
  return engine.connection({
    method: "POST",
    path: `/containers/${id}/attach`,
    query: { stream: true, ...wanted, detachKeys: NO_DETACH_KEYS },
    signal,
  });
}

/**
 * To Podman, whoever leaves ends the container's input. Who has given none shall not; its log shows the same output. The
 * engine's answer may begin with the first line only, and is not waited for.
 */
async function follow(
  engine: EngineClient,
  id: string,
  { stdout, stderr }: Wanted,
): Promise<Readable> {
  const left = new AbortController();
  async function* output(): AsyncGenerator<Uint8Array> {
    yield* await engine.stream({
      method: "GET",
      path: `/containers/${id}/logs`,
      query: { follow: true, tail: 0, stdout, stderr },
      signal: left.signal,
      deadlineMs: Number.POSITIVE_INFINITY,
    });
  }
  const log = Readable.from(output(), { objectMode: false });
  log.once("close", () => left.abort(new Error("Nobody reads this log any more.")));
  return log;
}

/** Podman says that the container has ended a moment after its output has. */
async function endOf(engine: EngineClient, id: string): Promise<ProcessEnd> {
  const { signal } = new AbortController();
  for (let tries = 1; ; tries++) {
    const { State } = await inspect(engine, id, signal);
    if (State.Status !== "running" && State.Status !== "stopping") {
      return { exitCode: State.ExitCode };
    }
    if (tries >= END_TRIES) {
      return { error: "The container engine ended the stream, though the container runs." };
    }
    await delay(END_INTERVAL_MS);
  }
}

async function inspect(
  engine: EngineClient,
  id: string,
  signal: AbortSignal,
): Promise<ContainerInspection> {
  return engine.json({ method: "GET", path: `/containers/${id}/json`, signal });
}
