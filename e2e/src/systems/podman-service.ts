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

const PROGRAM = "podman";

/** Why we cannot start a Podman of our own; `undefined` if we can. */
export function whyNoPodman(): string | undefined {
  if (process.platform !== "linux") return "starting a Podman service of our own needs Linux";
  if (findProgram(PROGRAM) === undefined) return "there is no podman (Debian packages podman runc)";
  if (findProgram("runc") === undefined) return "our own Podman needs runc, which is missing";
  if (process.getuid?.() !== 0) return "starting a Podman service of our own needs root";
  return undefined;
}

/** Podman's Docker-compatible API on a socket of our own, with its images and containers in one folder. */
export class PodmanService implements EngineDaemon {
  readonly folder: string;
  readonly host: string;
  readonly #pidFile: string;
  readonly #logFile: string;

  constructor(folder: string) {
    this.folder = folder;
    this.host = `unix://${join(folder, "podman.sock")}`;
    this.#pidFile = join(folder, "podman.pid");
    this.#logFile = join(folder, "podman.log");
    mkdirSync(folder, { recursive: true, mode: 0o700 });
  }

  get runs(): boolean {
    return daemonPid(this.#pidFile, PROGRAM) !== undefined;
  }

  async start(): Promise<void> {
    const found = this.runs;
    if (!found) this.#launch();
    await using engine = new EngineClient(parseDockerHost(this.host));
    try {
      await waitUntil("our Podman service answers", () => engine.version());
    } catch (error) {
      throw new Error(
        `podman does not become ready; the end of ${this.#logFile}:\n${logTail(this.#logFile)}`,
        { cause: error },
      );
    }
    // Of one that was killed: they live on without it.
    if (!found) await removeContainers(this.host);
  }

  /** Its containers would outlive it, so they go first. */
  async stop(): Promise<void> {
    if (!this.runs) return;
    try {
      await removeContainers(this.host);
    } finally {
      await stopDaemon(this.#pidFile, PROGRAM);
      await unmountBelow(this.folder);
    }
  }

  #launch(): void {
    rmSync(join(this.folder, "podman.sock"), { force: true });
    const file = (name: string, lines: readonly string[]): string => {
      const path = join(this.folder, name);
      writeFileSync(path, `${lines.join("\n")}\n`);
      return path;
    };
    startDaemon(
      findProgram(PROGRAM) ?? PROGRAM,
      [
        `--root=${join(this.folder, "data")}`,
        `--runroot=${join(this.folder, "run")}`,
        `--tmpdir=${join(this.folder, "tmp")}`,
        "system",
        "service",
        "--time=0",
        this.host,
      ],
      {
        pidFile: this.#pidFile,
        logFile: this.#logFile,
        // Not the settings of this machine: crun refuses some cgroup layouts, raising ulimits may be forbidden, and
        // systemd and its journal need not be there.
        env: {
          CONTAINERS_CONF: file("containers.conf", [
            "[containers]",
            "default_ulimits = []",
            "[engine]",
            'runtime = "runc"',
            'cgroup_manager = "cgroupfs"',
            'events_logger = "file"',
          ]),
          // Unlike Docker, Podman wants TLS of a registry on loopback, too.
          CONTAINERS_REGISTRIES_CONF: file("registries.conf", [
            "[[registry]]",
            'location = "127.0.0.1"',
            "insecure = true",
          ]),
        },
      },
    );
  }
}

/** The one that all tests share. Its data stays in the cache folder, so that the next start has the images. */
export function sharedPodman(): PodmanService {
  return new PodmanService(cacheFolder("podman"));
}
