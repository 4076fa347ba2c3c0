import { type ChildProcess, spawn } from "node:child_process";
import { constants } from "node:os";
import { PluginError } from "@interlink/plugin-sdk";
import type { ProcessEnd, ProcessStreams } from "@interlink/protocol";

/**
 * The words behind `srun` that start a command in a container of a running job, beside what runs there; the command's own
 * words follow. `script`: the SDK's, in the pod's directory.
 */
export function execWords(
  jobId: string,
  script: string,
  directory: string,
  container: string,
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
  { env, stdin }: { env: Readonly<Record<string, string>>; stdin: boolean },
  signal: AbortSignal,
): Promise<ProcessStreams> {
  signal.throwIfAborted();
  const child = spawn(program, words, {
    cwd: "/",
    env: { ...env },
    detached: true,
    stdio: [stdin ? "pipe" : "ignore", "pipe", "pipe"],
  });
  const ended = endOf(child);
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
