import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { EngineClient, parseDockerHost } from "@interlink/plugin-docker";
import { cacheFolder } from "./cache-folder.ts";
import { daemonPid, logTail, startDaemon, stopDaemon } from "./daemon.ts";
import { removeContainers } from "./engine-system.ts";
import { findProgram } from "./programs.ts";
import type { EngineDaemon } from "./shared-engine.ts";
import { unmountBelow } from "./unmount.ts";
import { waitUntil } from "./wait-until.ts";

const PROGRAM = "dockerd";

/** Why we cannot start an engine of our own; `undefined` if we can. */
export function whyNoDaemon(): string | undefined {
  if (process.platform !== "linux") return "starting an engine of our own needs Linux";
  if (findProgram(PROGRAM) === undefined) return "no engine answers and there is no dockerd";
  if (findProgram("iptables") === undefined) return "dockerd needs iptables, which is missing";
  if (process.getuid?.() !== 0) return "no engine answers, and starting dockerd needs root";
  return undefined;
}

export interface DockerDaemonOptions {
  /** More for dockerd. */
  arguments?: readonly string[];
  /**
   * In a network namespace of its own, with no network for containers. A second engine would otherwise change, and even
   * remove, the bridge of the first.
   */
  isolated?: boolean;
  /** A directory of this machine that an isolated engine finds empty, as one on another machine would. */
  hides?: string;
}

/** A Docker Engine of our own, with everything in one folder. */
export class DockerDaemon implements EngineDaemon {
  readonly folder: string;
  /** As `DOCKER_HOST` has it. */
  readonly host: string;
  readonly #pidFile: string;
  readonly #logFile: string;
  readonly #options: DockerDaemonOptions;

  constructor(folder: string, options: DockerDaemonOptions = {}) {
    this.folder = folder;
    this.host = `unix://${join(folder, "docker.sock")}`;
    this.#pidFile = join(folder, "dockerd.pid");
    this.#logFile = join(folder, "dockerd.log");
    this.#options = options;
    mkdirSync(folder, { recursive: true, mode: 0o700 });
  }

  get runs(): boolean {
    return daemonPid(this.#pidFile, PROGRAM) !== undefined;
  }

  /** Starts it, or finds it running. Resolves when it answers. */
  async start(): Promise<void> {
    if (!this.runs) this.#launch();
    await using engine = new EngineClient(parseDockerHost(this.host));
    const signal = new AbortController().signal;
    try {
      await waitUntil("our dockerd answers", () =>
        engine.json({ method: "GET", path: "/info", signal, deadlineMs: 5000 }),
      );
    } catch (error) {
      throw new Error(
        `dockerd does not become ready; the end of ${this.#logFile}:\n${logTail(this.#logFile)}`,
        { cause: error },
      );
    }
  }

  /** Stops it, and with it every container that it still runs (unless it restores them live). */
  async stop(): Promise<void> {
    await stopDaemon(this.#pidFile, PROGRAM);
  }

  /** Removes its containers, stops it, and deletes its folder. For an engine that only one test uses. */
  async destroy(): Promise<void> {
    if (this.runs) await removeContainers(this.host);
    await this.stop();
    await unmountBelow(this.folder);
    rmSync(this.folder, { recursive: true, force: true });
  }

  #launch(): void {
    // Left over from a crash of the machine: dockerd refuses to start when another process has that pid now.
    rmSync(this.#pidFile, { force: true });
    rmSync(join(this.folder, "docker.sock"), { force: true });
    const config = join(this.folder, "daemon.json");
    writeFileSync(config, "{}\n");
    const { isolated = false, hides, arguments: more = [] } = this.#options;
    const hidden =
      hides === undefined
        ? []
        : ["--mount", "sh", "-c", 'mount -t tmpfs none "$0" && exec "$@"', hides];
    const program = findProgram(PROGRAM) ?? PROGRAM;
    startDaemon(
      isolated ? "unshare" : program,
      [
        ...(isolated ? ["--net", ...hidden, program, "--bridge=none", "--iptables=false"] : []),
        `--data-root=${join(this.folder, "data")}`,
        `--exec-root=${join(this.folder, "exec")}`,
        `--host=${this.host}`,
        `--pidfile=${this.#pidFile}`,
        "--exec-opt=native.cgroupdriver=cgroupfs",
        // Not the settings of an engine that a person has configured on this machine.
        `--config-file=${config}`,
        ...more,
      ],
      { pidFile: join(this.folder, "spawned.pid"), logFile: this.#logFile },
    );
  }
}

/** The one that all tests share. Its data stays in the cache folder, so that the next start has the images. */
export function sharedDaemon(): DockerDaemon {
  return new DockerDaemon(cacheFolder("docker"));
}
