import { spawn } from "node:child_process";
import { sendSignal } from "./process-table.ts";

export interface ProgramOptions {
  env: NodeJS.ProcessEnv;
  cwd?: string;
  maxOutputBytes: number;
}

/**
 * Run a program to its end: stdout and stderr together, cut at `maxOutputBytes`; 128+n when killed by signal n; 127 when
 * it does not exist. Aborting kills it with everything in its process group, and rejects with the signal's reason.
 */
export function runProgram(
  argv: readonly string[],
  options: ProgramOptions,
  signal: AbortSignal,
): Promise<{ exitCode: number; output: string }> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) {
      reject(signal.reason as Error);
      return;
    }
    const [file = "", ...args] = argv;
    const { env, cwd, maxOutputBytes } = options;
    const child = spawn(file, args, {
      env,
      ...(cwd !== undefined && { cwd }),
      detached: true,
      stdio: ["ignore", "pipe", "pipe"],
    });
    const chunks: Buffer[] = [];
    let room = maxOutputBytes;
    const take = (chunk: Buffer) => {
      if (room > 0) chunks.push(chunk.subarray(0, room));
      room -= chunk.length;
    };
    child.stdout.on("data", take);
    child.stderr.on("data", take);
    const abort = () => {
      if (child.pid !== undefined) sendSignal(-child.pid, "SIGKILL");
      // Neither is what left the group waited for, which may hold the pipes open, nor what does not end of SIGKILL yet.
      child.stdout.destroy();
      child.stderr.destroy();
      reject(signal.reason as Error);
    };
    signal.addEventListener("abort", abort, { once: true });
    const output = () => Buffer.concat(chunks).toString("utf8");
    child.once("error", (error) => {
      signal.removeEventListener("abort", abort);
      resolve({ exitCode: 127, output: `exec: "${file}": ${error.message}` });
    });
    child.once("close", (code, killedBy) => {
      signal.removeEventListener("abort", abort);
      resolve({ exitCode: code ?? 128 + signalNumber(killedBy), output: output() });
    });
  });
}

function signalNumber(name: NodeJS.Signals | null): number {
  return name === "SIGTERM" ? 15 : 9;
}
