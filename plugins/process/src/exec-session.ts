import { type ChildProcess, spawn } from "node:child_process";
import { constants } from "node:os";
import { PassThrough, type Readable, type Writable } from "node:stream";
import type { StreamRequest } from "@interlink/plugin-sdk";
import { consoleInput, endFrame, RuntimeError, sizeFrame } from "@interlink/plugin-sdk";
import type { ProcessEnd, ProcessStreams } from "@interlink/protocol";

/** A program to start, its words complete. With `tty`, `console.pl` is in front of it. */
export interface ExecOrder {
  argv: readonly string[];
  env: NodeJS.ProcessEnv;
  cwd?: string;
}

/** After the end of a process: what it left behind may hold its outputs open, and nobody waits for that. */
const IDLE_MS = 500;

/**
 * Starts a program with streams of its own. Closing them hangs up on one with a terminal; any other loses its pipes.
 * Throws `RuntimeError` `StartFailed` if it cannot be started.
 */
export async function execSession(
  { argv, env, cwd }: ExecOrder,
  wanted: StreamRequest,
): Promise<ProcessStreams> {
  const [file = "", ...args] = argv;
  const child = spawn(file, args, {
    env,
    ...(cwd !== undefined && { cwd }),
    detached: true,
    stdio: [
      wanted.stdin || wanted.tty ? "pipe" : "ignore",
      wanted.stdout ? "pipe" : "ignore",
      wanted.stderr && !wanted.tty ? "pipe" : "ignore",
    ],
  });
  await begun(child, file);
  const { stdin: pipe } = child;
  // One that reads no more input is told by its end.
  pipe?.on("error", () => pipe.destroy());
  const outputs = new Outputs();
  const stdout = outputs.add(child.stdout);
  const stderr = outputs.add(child.stderr);
  const input = wanted.stdin && pipe !== null ? inputOf(pipe, wanted.tty) : undefined;
  const ended = new Promise<ProcessEnd>((resolve) => {
    child.once("exit", (code, killedBy) => {
      const exitCode = code ?? 128 + (killedBy === null ? 0 : constants.signals[killedBy]);
      pipe?.destroy();
      input?.destroy();
      void outputs.drained().then(() => resolve({ exitCode }));
    });
  });
  return {
    ...(input && { stdin: input }),
    ...(stdout && { stdout }),
    ...(stderr && { stderr }),
    resize(size) {
      if (wanted.tty && pipe !== null && !pipe.destroyed) pipe.write(sizeFrame(size));
    },
    ended,
    close() {
      pipe?.destroy();
      outputs.destroy();
    },
  };
}

function inputOf(pipe: Writable, isFramed: boolean): Writable {
  return isFramed ? consoleInput(pipe, endFrame()) : pipe;
}

function begun(child: ChildProcess, file: string): Promise<void> {
  return new Promise((resolve, reject) => {
    child.once("spawn", resolve);
    child.on("error", (error: NodeJS.ErrnoException) => {
      const why =
        error.code === "ENOENT"
          ? "executable file not found in $PATH"
          : error.code === "EACCES"
            ? "permission denied"
            : error.message;
      reject(new RuntimeError("StartFailed", `exec: "${file}": ${why}`, { cause: error }));
    });
  });
}

/** The outputs of a process, which end with it even if something that it left behind still holds them. */
class Outputs {
  readonly #pairs: { from: Readable; to: PassThrough }[] = [];

  add(from: Readable | null): Readable | undefined {
    if (from === null) return undefined;
    const to = new PassThrough();
    from.on("error", () => to.end());
    from.pipe(to);
    this.#pairs.push({ from, to });
    return to;
  }

  /** After the end of the process. Resolves when everything that it wrote has been taken over. */
  async drained(): Promise<void> {
    await Promise.all(this.#pairs.map(({ from, to }) => drainedPair(from, to)));
  }

  destroy(): void {
    for (const { from, to } of this.#pairs) {
      from.destroy();
      to.destroy();
    }
  }
}

function drainedPair(from: Readable, to: PassThrough): Promise<void> {
  return new Promise((resolve) => {
    let last = -1;
    const timer = setInterval(() => {
      // Nothing came, and nothing waits for a slow reader: the pipe is empty, whoever still holds it.
      const isIdle = from.readableLength === 0 && to.readableLength === 0 && !to.writableNeedDrain;
      if (isIdle && last === bytesOf(from)) {
        from.destroy();
        to.end();
      }
      last = isIdle ? bytesOf(from) : -1;
    }, IDLE_MS);
    const over = (): void => {
      clearInterval(timer);
      resolve();
    };
    to.once("finish", over);
    to.once("close", over);
    if (to.writableFinished || to.destroyed) over();
  });
}

function bytesOf(stream: Readable): number {
  return (stream as Readable & { bytesRead?: number }).bytesRead ?? 0;
}
