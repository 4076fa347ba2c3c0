import { type ChildProcess, spawn } from "node:child_process";
import { readFile, rm } from "node:fs/promises";
import { constants } from "node:os";
import { setTimeout as delay } from "node:timers/promises";
import { PluginError } from "@interlink/plugin-sdk";
import type { ProcessEnd, ProcessStreams } from "@interlink/protocol";

/** Runs the words behind the first, and writes their exit code into the file that the first names. */
const WITH_EXIT_CODE = 'file=$1; shift; "$@"; printf "%s\\n" "$?" >"$file"';

/** Compute nodes' writes may be seen this much later. */
const LAG_MS = 5000;

/**
 * The words behind `srun` that start a command in a container of a running job, beside what runs there; the command's own
 * words follow. `script`: the SDK's, in the pod's directory. Its exit code goes to `exitFile`, as srun tells any but 0 on
 * the command's stderr.
 */
export function execWords(
  jobId: string,
  script: string,
  directory: string,
  container: string,
  exitFile: string,
): string[] {
  return [
    "--overlap",
    `--jobid=${jobId}`,
    "--nodes=1",
    "--ntasks=1",
    "--mem=0",
    "--quiet",
    "--unbuffered",
    "bash",
    "-p",
    "-c",
    WITH_EXIT_CODE,
    "exec",
    exitFile,
    "bash",
    "-p",
    script,
    directory,
    "exec",
    container,
  ];
}

/**
 * Starts a program with pipes for its streams. The signal ends it before it has begun; closing the streams ends it then.
 * Throws `PluginError` `unavailable` if it cannot be started.
 */
export async function execSession(
  [program = "", ...words]: readonly string[],
  options: { env: Readonly<Record<string, string>>; stdin: boolean; exitFile: string },
  signal: AbortSignal,
): Promise<ProcessStreams> {
  const { env, stdin, exitFile } = options;
  signal.throwIfAborted();
  const child = spawn(program, words, {
    cwd: "/",
    env: { ...env },
    detached: true,
    stdio: [stdin ? "pipe" : "ignore", "pipe", "pipe"],
  });
  const ended = endOf(child).then((end) => withExitCode(end, exitFile));
  await new Promise<void>((resolve, reject) => {
    child.once("spawn", resolve);
    child.once("error", (cause) => {
      reject(
        new PluginError("unavailable", `${program} could not be started: ${cause.message}.`, {
          cause,
        }),
      );
    });
  });
  // One that reads no more input is told by its end.
  child.stdin?.on("error", () => child.stdin?.destroy());
  const close = (): void => {
    child.stdin?.destroy();
    child.stdout?.destroy();
    child.stderr?.destroy();
    if (child.exitCode === null && child.signalCode === null) child.kill("SIGTERM");
  };
  signal.addEventListener("abort", close, { once: true });
  void ended.then(() => signal.removeEventListener("abort", close));
  return {
    ...(child.stdin && { stdin: child.stdin }),
    ...(child.stdout && { stdout: child.stdout }),
    ...(child.stderr && { stderr: child.stderr }),
    resize: () => undefined,
    ended,
    close,
  };
}

/** Settles when the program has ended and its outputs were read. */
function endOf(child: ChildProcess): Promise<ProcessEnd> {
  return new Promise((resolve) => {
    child.once("error", ({ message }) => resolve({ error: message }));
    child.once("close", (code, by) =>
      resolve({ exitCode: code ?? 128 + (by === null ? 0 : constants.signals[by]) }),
    );
  });
}

/** srun has ended well: the command has ended somehow. */
async function withExitCode(end: ProcessEnd, file: string): Promise<ProcessEnd> {
  if (!("exitCode" in end) || end.exitCode !== 0) return end;
  const giveUpAt = Date.now() + LAG_MS;
  for (;;) {
    const written = await readFile(file, "utf8").catch(() => "");
    if (/^\d{1,3}\n$/.test(written)) {
      await rm(file, { force: true }).catch(() => undefined);
      return { exitCode: Number(written) };
    }
    if (Date.now() >= giveUpAt) return { error: "The command's exit code is not known." };
    await delay(100);
  }
}
