import { spawn } from "node:child_process";
import { closeSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { basename, dirname } from "node:path";
import { waitUntil } from "./wait-until.ts";

/** A program that goes on running after we end, found again by its pid file. */
export interface DaemonFiles {
  pidFile: string;
  logFile: string;
  /** Added to our environment. */
  env?: Record<string, string>;
}

/** Starts a program in a session of its own, so that a Ctrl-C at our terminal does not reach it. */
export function startDaemon(command: string, args: readonly string[], files: DaemonFiles): void {
  const log = openSync(files.logFile, "w", 0o600);
  try {
    const child = spawn(command, args, {
      detached: true,
      // What it leaves in its working directory (Podman's conmon does) shall not lie in ours.
      cwd: dirname(files.logFile),
      stdio: ["ignore", log, log],
      env: { ...process.env, ...files.env },
    });
    child.on("error", () => {
      // The caller sees that it never becomes ready, and shows the log.
    });
    child.unref();
    if (child.pid !== undefined) writeFileSync(files.pidFile, `${child.pid}\n`);
  } finally {
    closeSync(log);
  }
}

/** The pid in a pid file, if that process lives and really is this program. */
export function daemonPid(pidFile: string, program: string): number | undefined {
  try {
    const pid = Number(readFileSync(pidFile, "utf8").trim());
    if (!Number.isInteger(pid) || pid <= 1) return undefined;
    const [executable = ""] = readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0");
    return basename(executable) === basename(program) ? pid : undefined;
  } catch {
    return undefined;
  }
}

/** SIGTERM, then SIGKILL when it takes too long. Resolves when it has ended; at once if it does not run. */
export async function stopDaemon(pidFile: string, program: string): Promise<void> {
  const pid = daemonPid(pidFile, program);
  if (pid !== undefined) {
    process.kill(pid, "SIGTERM");
    const gone = (): boolean => daemonPid(pidFile, program) !== pid;
    try {
      await waitUntil(`${program} (${pid}) has ended`, gone, 40_000);
    } catch {
      process.kill(pid, "SIGKILL");
      await waitUntil(`${program} (${pid}) is killed`, gone, 10_000);
    }
  }
  rmSync(pidFile, { force: true });
}

/** The end of a log file, for an error message. */
export function logTail(logFile: string, lines = 8): string {
  try {
    return readFileSync(logFile, "utf8").trimEnd().split("\n").slice(-lines).join("\n");
  } catch {
    return "";
  }
}
