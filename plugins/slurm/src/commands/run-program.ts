import { spawn } from "node:child_process";
import { basename } from "node:path";
import { isTransient, SlurmError } from "./slurm-error.ts";

/** What a program has written, and that it ended well. */
export interface ProgramOutput {
  stdout: string;
  stderr: string;
}

export interface ProgramOptions {
  env: Readonly<Record<string, string>>;
  signal?: AbortSignal;
  deadlineMs: number;
  /** Of stdout; more is an error, as half an answer would be a wrong one. Default {@link MAX_BYTES}. */
  maxBytes?: number;
  cwd?: string;
  /** Its stdin; default: none. */
  input?: Uint8Array;
  /** As whom it runs, where this process may choose. */
  owner?: { uid: number; gid: number };
}

/** All jobs of a large site, as squeue tells them. */
export const MAX_BYTES = 64 * 1024 * 1024;
const MAX_WORDS = 4096;

/**
 * Runs a program with these words, without a shell, in a process group of its own, of which nothing is
 * left behind after the deadline. Throws `SlurmError`; the exit code alone decides, as sites let programs greet on stderr.
 */
export async function runProgram(
  program: string,
  words: readonly string[],
  options: ProgramOptions,
): Promise<ProgramOutput> {
  const { env, signal, deadlineMs, maxBytes = MAX_BYTES, cwd = "/", input, owner } = options;
  const name = basename(program);
  signal?.throwIfAborted();
  return new Promise((resolve, reject) => {
    const child = spawn(program, [...words], {
      cwd,
      env: { ...env },
      stdio: [input === undefined ? "ignore" : "pipe", "pipe", "pipe"],
      detached: true,
      ...(owner && { uid: owner.uid, gid: owner.gid }),
    });
    // Whoever ends without reading all of it says why by its exit code.
    child.stdin?.on("error", () => undefined);
    child.stdin?.end(input);
    const stdout: Buffer[] = [];
    let size = 0;
    let stderr = "";
    let failure: SlurmError | undefined;
    const stop = (error: SlurmError): void => {
      failure ??= error;
      if (child.pid === undefined) return;
      try {
        process.kill(-child.pid, "SIGKILL");
      } catch {
        // It has just ended.
      }
    };
    const seconds = Math.round(deadlineMs / 1000);
    const timer = setTimeout(
      () => stop(new SlurmError("unavailable", `${name} did not answer within ${seconds} s.`)),
      deadlineMs,
    );
    const onAbort = (): void =>
      stop(new SlurmError("unavailable", `${name} was given up before it answered.`));
    signal?.addEventListener("abort", onAbort, { once: true });
    const settle = (): void => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", onAbort);
    };
    child.stdout?.on("data", (piece: Buffer) => {
      size += piece.length;
      if (size > maxBytes) {
        stop(new SlurmError("unavailable", `${name} wrote more than ${maxBytes} bytes.`));
      } else {
        stdout.push(piece);
      }
    });
    child.stderr?.on("data", (piece: Buffer) => {
      stderr = (stderr + piece.toString("utf8")).slice(-MAX_WORDS);
    });
    child.once("error", (error: NodeJS.ErrnoException) => {
      settle();
      reject(startError(program, error));
    });
    child.once("close", (code, by) => {
      settle();
      const output = { stdout: Buffer.concat(stdout).toString("utf8"), stderr };
      if (failure !== undefined) reject(failure);
      else if (code === 0) resolve(output);
      else reject(programError(name, code, by, output));
    });
  });
}

/** Why a program could not be started. */
export function startError(
  program: string,
  error: { code?: string | undefined; message: string },
): SlurmError {
  const missing = error.code === "ENOENT" || error.code === "EACCES";
  const why = missing
    ? `${program} cannot be run (${error.code}); name it in the configuration.`
    : `${basename(program)} could not be started: ${error.message}.`;
  return new SlurmError(missing ? "missing" : "unavailable", why, { cause: error });
}

/** How a program failed that has ended, in its own words. */
export function programError(
  name: string,
  code: number | null,
  by: NodeJS.Signals | null,
  { stdout, stderr }: ProgramOutput,
): SlurmError {
  const words = (stderr.trim() || stdout.trim()).slice(-2000);
  if (code === null)
    return new SlurmError("unavailable", `${name} was ended by ${by ?? "a signal"}.`);
  const said = words === "" ? `${name} ended with exit code ${code}.` : words;
  return new SlurmError(isTransient(words) || words === "" ? "unavailable" : "refused", said);
}
