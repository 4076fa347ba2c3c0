import type { ContainerHandle, StreamRequest } from "@interlink/plugin-sdk";
import type { ProcessStreams } from "@interlink/protocol";
import type { Logger } from "pino";
import type { EngineClient } from "../engine/engine-client.ts";
import { isEngineError } from "../engine/engine-error.ts";
import { createExec, exitCodeOf, notRunning } from "../runtime/exec.ts";
import { engineStreams } from "./engine-streams.ts";
import { hangUp } from "./hang-up.ts";
import { NO_DETACH_KEYS } from "./no-detach-keys.ts";
import { TerminalResizer } from "./terminal-resizer.ts";

/** As `ContainerRuntime.openExec`. `hangsUp`: whether the process gets a SIGHUP when its caller goes. */
export async function openExec(
  engine: EngineClient,
  handle: Pick<ContainerHandle, "id" | "uid">,
  request: { command: readonly string[] } & StreamRequest,
  logger: Logger,
  signal: AbortSignal,
  hangsUp = request.tty,
): Promise<ProcessStreams> {
  const { stdin, stdout, tty } = request;
  const stderr = request.stderr && !tty;
  const settings = {
    AttachStdin: stdin,
    AttachStdout: stdout,
    AttachStderr: stderr,
    Tty: tty,
    Cmd: request.command,
    DetachKeys: NO_DETACH_KEYS,
  };
  const id = await createExec(engine, handle.id, settings, signal);
  const connection = await engine
    .connection({
      method: "POST",
      path: `/exec/${id}/start`,
      body: { Detach: false, Tty: tty },
      signal,
    })
    .catch((error: unknown) => {
      throw isEngineError(error, "conflict", "not-found") ? notRunning(error) : error;
    });
  // From here on nobody waits; each call to the engine has its deadline.
  const over = new AbortController();
  const lasting = new AbortController().signal;
  const failed = (error: unknown): void => {
    logger.debug(
      { err: error, uid: handle.uid, container: handle.id },
      "the engine did not serve an exec's terminal",
    );
  };
  const resizer = new TerminalResizer(engine, `/exec/${id}`, over.signal, failed);
  return engineStreams(
    connection,
    { stdin, stdout, stderr },
    {
      terminal: tty,
      resize: (size) => resizer.resize(size),
      end: async () => {
        over.abort();
        return { exitCode: await exitCodeOf(engine, id, lasting) };
      },
      left: () => {
        over.abort();
        if (hangsUp) hangUp(engine, id, handle.id, lasting).catch(failed);
      },
    },
  );
}
