import { type ChildProcess, fork } from "node:child_process";
import { basename } from "node:path";
import { fileURLToPath } from "node:url";
import {
  MAX_BYTES,
  type ProgramOptions,
  type ProgramOutput,
  programError,
  startError,
} from "./run-program.ts";
import { SlurmError } from "./slurm-error.ts";

const SCRIPT = fileURLToPath(new URL("../../runner/run-programs.mjs", import.meta.url));

/** What the helper tells of one program. */
interface Told {
  id: number;
  failed?: { code?: string; message: string };
  code?: number | null;
  by?: NodeJS.Signals | null;
  stdout?: string;
  stderr?: string;
  large?: true;
}

type Settle = (told: Told | SlurmError) => void;

/**
 * Runs programs as `runProgram` does, from a small process of its own (`runner/run-programs.mjs`): for what is run hundreds of
 * times in a row. Begun at the first need, and again when it has died.
 */
export class ProgramHelper implements Disposable {
  readonly #waiting = new Map<number, Settle>();
  #child: ChildProcess | undefined;
  #made = 0;

  /** Throws `SlurmError`. */
  async run(
    program: string,
    words: readonly string[],
    { env, cwd = "/", signal, deadlineMs, maxBytes = MAX_BYTES }: ProgramOptions,
  ): Promise<ProgramOutput> {
    const name = basename(program);
    signal?.throwIfAborted();
    const child = (this.#child ??= this.#begin());
    const id = ++this.#made;
    return new Promise((resolve, reject) => {
      const seconds = Math.round(deadlineMs / 1000);
      const stop = (error: SlurmError): void => {
        child.send({ id, stop: true }, () => undefined);
        settle(error);
      };
      const timer = setTimeout(
        () => stop(new SlurmError("unavailable", `${name} did not answer within ${seconds} s.`)),
        deadlineMs,
      );
      const onAbort = (): void =>
        stop(new SlurmError("unavailable", `${name} was given up before it answered.`));
      signal?.addEventListener("abort", onAbort, { once: true });
      const settle: Settle = (told) => {
        clearTimeout(timer);
        signal?.removeEventListener("abort", onAbort);
        this.#waiting.delete(id);
        // Only what waits keeps this process.
        if (this.#waiting.size === 0) child.channel?.unref();
        const output = told instanceof SlurmError ? told : outputOf(program, told);
        if (output instanceof SlurmError) reject(output);
        else resolve(output);
      };
      this.#waiting.set(id, settle);
      child.channel?.ref();
      child.send({ id, program, words, env, cwd, maxBytes }, (error) => {
        if (error !== null) this.#lost(child, error);
      });
    });
  }

  /** What it has started goes on; whoever waits for it is let go. */
  [Symbol.dispose](): void {
    const child = this.#child;
    if (child === undefined) return;
    this.#lost(child);
    if (child.connected) child.disconnect();
  }

  #begin(): ChildProcess {
    const child = fork(SCRIPT, [], {
      env: {},
      // To begin a program costs it what it has in memory, which the kernel has to copy the tables of.
      execArgv: ["--single-threaded", "--max-semi-space-size=1"],
      stdio: ["ignore", "ignore", "inherit", "ipc"],
      detached: true,
    });
    child.unref();
    child.on("message", (told: Told) => this.#waiting.get(told.id)?.(told));
    child.once("error", (error) => this.#lost(child, error));
    child.once("exit", () => this.#lost(child));
    return child;
  }

  #lost(child: ChildProcess, cause?: Error): void {
    if (this.#child !== child) return;
    this.#child = undefined;
    const why = "The process that runs Slurm's programs has ended before the program did.";
    for (const settle of this.#waiting.values()) {
      settle(new SlurmError("unavailable", why, { cause }));
    }
  }
}

function outputOf(program: string, told: Told): ProgramOutput | SlurmError {
  const { failed, code = null, by = null, stdout = "", stderr = "", large } = told;
  const name = basename(program);
  if (failed !== undefined) return startError(program, failed);
  if (large) return new SlurmError("unavailable", `${name} wrote too much.`);
  return code === 0 ? { stdout, stderr } : programError(name, code, by, { stdout, stderr });
}
