import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { EngineClient } from "@interlink/plugin-docker";
import { cacheFolder } from "./cache-folder.ts";
import { daemonPid, logTail, startDaemon, stopDaemon } from "./daemon.ts";
import { findProgram } from "./programs.ts";
import { waitUntil } from "./wait-until.ts";

const PROGRAM = "dockerd";

function files(): { folder: string; socket: string; pidFile: string; logFile: string } {
  const folder = cacheFolder("docker");
  return {
    folder,
    socket: join(folder, "docker.sock"),
    pidFile: join(folder, "dockerd.pid"),
    logFile: join(folder, "dockerd.log"),
  };
}

/** Why we cannot start an engine of our own; `undefined` if we can. */
export function whyNoDaemon(): string | undefined {
  if (process.platform !== "linux") return "starting an engine of our own needs Linux";
  if (findProgram(PROGRAM) === undefined) return "no engine answers and there is no dockerd";
  if (findProgram("iptables") === undefined) return "dockerd needs iptables, which is missing";
  if (process.getuid?.() !== 0) return "no engine answers, and starting dockerd needs root";
  return undefined;
}

/** `DOCKER_HOST` of our own engine. */
export function ownDockerHost(): string {
  return `unix://${files().socket}`;
}

/** Starts our engine, or finds it running. Its data stays in the cache folder, so that the next start has the images. */
export async function startDockerDaemon(): Promise<void> {
  const { folder, socket, pidFile, logFile } = files();
  if (daemonPid(pidFile, PROGRAM) === undefined) {
    // Left over from a crash of the machine: dockerd refuses to start when another process has that pid now.
    rmSync(pidFile, { force: true });
    rmSync(socket, { force: true });
    const config = join(folder, "daemon.json");
    writeFileSync(config, "{}\n");
    startDaemon(
      findProgram(PROGRAM) ?? PROGRAM,
      [
        `--data-root=${join(folder, "data")}`,
        `--exec-root=${join(folder, "exec")}`,
        `--host=unix://${socket}`,
        `--pidfile=${pidFile}`,
        "--exec-opt=native.cgroupdriver=cgroupfs",
        // Not the settings of an engine that a person has configured on this machine.
        `--config-file=${config}`,
      ],
      { pidFile: join(folder, "spawned.pid"), logFile },
    );
  }
  await using engine = new EngineClient({ kind: "unix", path: socket });
  const signal = new AbortController().signal;
  try {
    await waitUntil("our dockerd answers", () =>
      engine.json({ method: "GET", path: "/info", signal, deadlineMs: 5000 }),
    );
  } catch (error) {
    throw new Error(`dockerd does not become ready; the end of ${logFile}:\n${logTail(logFile)}`, {
      cause: error,
    });
  }
  // What tests that were killed have left behind.
  await engine.json({ method: "POST", path: "/containers/prune", signal });
}

/** Stops our engine, and with it every container that it still runs. */
export async function stopDockerDaemon(): Promise<void> {
  await stopDaemon(files().pidFile, PROGRAM);
}

export function dockerDaemonRuns(): boolean {
  return daemonPid(files().pidFile, PROGRAM) !== undefined;
}
