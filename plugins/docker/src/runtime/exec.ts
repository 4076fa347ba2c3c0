import { setTimeout as delay } from "node:timers/promises";
import { RuntimeError } from "@interlink/plugin-sdk";
import type { EngineClient } from "../engine/engine-client.ts";
import { isEngineError } from "../engine/engine-error.ts";
import { Demultiplexer } from "../logs/demultiplexer.ts";

const END_TRIES = 50;
const END_INTERVAL_MS = 100;

/** Part of `GET /exec/{id}/json`. */
export interface ExecInspection {
  Running: boolean;
  ExitCode: number | null;
  /** On the engine's machine; 0 before it runs. */
  Pid: number;
}

/**
 * Runs a command in a running container. When it is aborted the command itself goes on: the Engine API has no way to
 * end it.
 */
export async function exec(
  engine: EngineClient,
  container: string,
  argv: readonly string[],
  maxOutputBytes: number,
  signal: AbortSignal,
): Promise<{ exitCode: number; output: string }> {
  const settings = { AttachStdout: true, AttachStderr: true, Cmd: argv };
  const Id = await createExec(engine, container, settings, signal);
  let output: Buffer;
  try {
    const stream = await engine.stream({
      method: "POST",
      path: `/exec/${Id}/start`,
      body: { Detach: false, Tty: false },
      signal,
      // The command may be silent for as long as the caller lets it.
      deadlineMs: Number.POSITIVE_INFINITY,
    });
    output = await collect(stream, maxOutputBytes);
  } catch (error) {
    if (isEngineError(error, "conflict")) throw notRunning(error);
    // The program does not exist, or cannot be executed: the engine's words are the output of such a command.
    if (!isEngineError(error, "bad-request", "engine")) throw error;
    output = Buffer.from(error.message);
  }
  const exitCode = await exitCodeOf(engine, Id, signal);
  return { exitCode, output: output.toString("utf8") };
}

/** Prepares a command in a running container, and gives its id. Throws `RuntimeError` `NotRunning`. */
export async function createExec(
  engine: EngineClient,
  container: string,
  settings: object,
  signal: AbortSignal,
): Promise<string> {
  try {
    const { Id } = await engine.json<{ Id: string }>({
      method: "POST",
      path: `/containers/${container}/exec`,
      body: settings,
      signal,
    });
    return Id;
  } catch (error) {
    // Podman before 5.0 answers with a 500.
    const isOver = isEngineError(error, "engine") && /running container/i.test(error.message);
    if (isOver || isEngineError(error, "conflict", "not-found")) throw notRunning(error);
    throw error;
  }
}

async function collect(stream: AsyncIterable<Uint8Array>, limit: number): Promise<Buffer> {
  const demultiplexer = new Demultiplexer();
  const kept: Uint8Array[] = [];
  let left = limit;
  for await (const chunk of stream) {
    // Read on past the limit, so that the command is not held up.
    for (const { bytes } of demultiplexer.push(chunk)) {
      if (left <= 0) continue;
      kept.push(bytes.subarray(0, left));
      left -= bytes.length;
    }
  }
  return Buffer.concat(kept);
}

/** Of a command whose output has ended; the exit code appears a moment later. */
export async function exitCodeOf(
  engine: EngineClient,
  id: string,
  signal: AbortSignal,
): Promise<number> {
  for (let tries = 1; ; tries++) {
    const { Running, ExitCode } = await inspectExec(engine, id, signal);
    if (!Running && ExitCode !== null) return ExitCode;
    if (tries >= END_TRIES) {
      throw new RuntimeError("Unavailable", "The engine does not tell how the command has ended.");
    }
    await delay(END_INTERVAL_MS, undefined, { signal });
  }
}

export async function inspectExec(
  engine: EngineClient,
  id: string,
  signal: AbortSignal,
): Promise<ExecInspection> {
  return engine.json({ method: "GET", path: `/exec/${id}/json`, signal });
}

export function notRunning(cause: Error): RuntimeError {
  return new RuntimeError("NotRunning", cause.message, { cause });
}
