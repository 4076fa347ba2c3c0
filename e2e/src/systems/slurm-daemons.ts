import { randomBytes } from "node:crypto";
import {
  accessSync,
  constants,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { daemonPid, logTail, startDaemon, stopDaemon } from "./daemon.ts";
import { freePorts } from "./free-ports.ts";
import { findProgram, runProgram } from "./programs.ts";
import { publicFolder } from "./public-folder.ts";
import { slurmConfig } from "./slurm-config.ts";
import { waitUntil } from "./wait-until.ts";

/** In the order in which they start. */
const DAEMONS = ["munged", "slurmctld", "slurmd"] as const;
export type SlurmDaemon = (typeof DAEMONS)[number];

/** Where version 1 of cgroups has what Slurm holds jobs to their memory with, and keeps hold of their processes. */
const CGROUPS = ["/sys/fs/cgroup/memory", "/sys/fs/cgroup/freezer"];

/** Why we cannot start a Slurm of our own; `undefined` if we can. */
export function whyNoSlurm(): string | undefined {
  if (process.platform !== "linux") return "starting a Slurm of our own needs Linux";
  const missing = [...DAEMONS, "sbatch", "setpriv"].filter((it) => findProgram(it) === undefined);
  if (missing.length > 0) {
    return `there is no ${missing.join(", no ")} (Debian packages slurm-wlm munge)`;
  }
  if (process.getuid?.() !== 0) return "starting a Slurm of our own needs root";
  return undefined;
}

/** A whole Slurm of one node, with everything in one folder; nothing of the machine's own Slurm is used. */
export class SlurmDaemons {
  readonly folder: string;
  readonly nodeName: string;

  constructor(folder: string, nodeName: string) {
    this.folder = folder;
    this.nodeName = nodeName;
  }

  /** For `SLURM_CONF`. */
  get conf(): string {
    return join(this.folder, "slurm.conf");
  }

  /** Whether Slurm can tell that a job ran out of memory. */
  get holdsMemory(): boolean {
    return CGROUPS.every((folder) => {
      try {
        accessSync(folder, constants.W_OK);
        return true;
      } catch {
        return false;
      }
    });
  }

  get runs(): boolean {
    return DAEMONS.some((name) => this.#pid(name) !== undefined);
  }

  /** Starts it, or finds it running. Resolves when the node takes jobs. */
  async start(): Promise<void> {
    if (DAEMONS.some((name) => this.#pid(name) === undefined)) {
      // Of a run that was killed there may be some left: half a Slurm, whose ports and key are its own.
      for (const name of DAEMONS.toReversed()) await this.stopDaemon(name);
      await this.#configure();
      for (const name of DAEMONS) await this.startDaemon(name);
      await this.#becomeReady();
      await this.#endJobs();
    }
    await this.#becomeReady();
  }

  /** With all its jobs: their processes would outlive it. */
  async stop(): Promise<void> {
    if (!this.runs) return;
    try {
      if (DAEMONS.every((name) => this.#pid(name) !== undefined)) await this.#endJobs();
    } finally {
      for (const name of DAEMONS.toReversed()) await this.stopDaemon(name);
      await this.#endLeftovers();
    }
  }

  /** Stops it, and deletes its folder. For a Slurm that only one test uses. */
  async destroy(): Promise<void> {
    await this.stop();
    rmSync(this.folder, { recursive: true, force: true });
  }

  /** One of them, as after a crash of it. */
  async startDaemon(name: SlurmDaemon): Promise<void> {
    if (this.#pid(name) !== undefined) return;
    startDaemon(findProgram(name) ?? name, this.#arguments(name), {
      ...this.#files(name),
      env: { SLURM_CONF: this.conf },
    });
    if (name !== "munged") return;
    const socket = join(this.folder, "munge/socket");
    await this.#explained(name, () =>
      waitUntil("munged answers", async () => {
        await runProgram("munge", [`--socket=${socket}`, "--no-input", "--output=/dev/null"]);
        return true;
      }),
    );
  }

  async stopDaemon(name: SlurmDaemon): Promise<void> {
    await stopDaemon(this.#files(name).pidFile, name);
  }

  /** A Slurm command as root; rejects with what it wrote to stderr. */
  async command(program: string, ...args: readonly string[]): Promise<string> {
    const all = [`SLURM_CONF=${this.conf}`, program, ...args];
    return (await runProgram("env", all)).toString();
  }

  #arguments(name: SlurmDaemon): string[] {
    if (name === "slurmd") return ["-D", "-N", this.nodeName];
    // A state file that a crash has cut short shall not keep it from starting.
    if (name === "slurmctld") return ["-D", "-i"];
    const munge = (file: string): string => join(this.folder, "munge", file);
    return [
      "--foreground",
      `--key-file=${munge("key")}`,
      `--socket=${munge("socket")}`,
      `--pid-file=${munge("own.pid")}`,
      `--seed-file=${munge("seed")}`,
      `--log-file=${munge("log")}`,
    ];
  }

  async #configure(): Promise<void> {
    for (const name of ["munge", "state", "spool", "log", "pids"]) {
      mkdirSync(join(this.folder, name), { recursive: true, mode: 0o755 });
    }
    // Its lock is what keeps a second one from this socket; the socket of a killed one is only in the way.
    for (const name of ["socket", "socket.lock"]) {
      rmSync(join(this.folder, "munge", name), { force: true });
    }
    const key = join(this.folder, "munge/key");
    if (!existsSync(key)) writeFileSync(key, randomBytes(1024), { mode: 0o600 });
    const [controllerPort = 0, nodePort = 0] = await freePorts(2);
    const [hostName = ""] = hostname().split(".");
    const { folder, nodeName, holdsMemory: cgroups } = this;
    const options = { folder, hostName, nodeName, controllerPort, nodePort, cgroups };
    for (const [name, content] of Object.entries(slurmConfig(options))) {
      writeFileSync(join(folder, name), content, { mode: 0o644 });
    }
  }

  async #becomeReady(): Promise<void> {
    await this.#explained("slurmctld", () =>
      waitUntil("slurmctld answers", async () => {
        const told = await this.command("scontrol", "ping");
        return told.includes(" is UP");
      }),
    );
    await this.#explained("slurmd", () =>
      waitUntil("the node takes jobs", async () => {
        const state = await this.command(
          "sinfo",
          "--noheader",
          "--Node",
          "-p",
          "debug",
          "-o",
          "%T",
        );
        if (/^(idle|mixed|allocated)/.test(state)) return true;
        // What a test, or a crash, has left behind.
        if (/^(down|drain)/.test(state)) {
          await this.command("scontrol", "update", `NodeName=${this.nodeName}`, "State=RESUME");
        }
        return false;
      }),
    );
  }

  async #endJobs(): Promise<void> {
    const jobs = async (): Promise<string> => this.command("squeue", "--noheader", "-o", "%i");
    if ((await jobs()).trim() === "") return;
    await waitUntil(
      "no job is left in our Slurm",
      async () => {
        const left = (await jobs()).trim().split("\n");
        if (left.join("") === "") return true;
        await this.command("scancel", "--signal=KILL", "--full", ...left).catch(() => {});
        await this.command("scancel", ...left).catch(() => {});
        return false;
      },
      90_000,
    );
  }

  /** Processes of jobs that Slurm has given up, as those of a failed node, and their cgroups. */
  async #endLeftovers(): Promise<void> {
    for (const controller of CGROUPS) {
      const top = join(controller, `slurm_${this.nodeName}`);
      if (!existsSync(top)) continue;
      await waitUntil(`nothing runs in ${top}`, () => {
        const groups = cgroupsIn(top);
        const pids = groups.flatMap((group) =>
          readFileSync(join(group, "cgroup.procs"), "utf8").split("\n").filter(Boolean).map(Number),
        );
        for (const pid of pids) endProcess(pid);
        // The deepest first; one that still ends is tried again.
        if (pids.length === 0) for (const group of groups) rmdirSync(group);
        return pids.length === 0;
      });
    }
  }

  #pid(name: SlurmDaemon): number | undefined {
    return daemonPid(this.#files(name).pidFile, name);
  }

  #files(name: SlurmDaemon): { pidFile: string; logFile: string } {
    return {
      pidFile: join(this.folder, "pids", name),
      logFile: join(this.folder, "log", `${name}.log`),
    };
  }

  async #explained<T>(name: SlurmDaemon, act: () => Promise<T>): Promise<T> {
    try {
      return await act();
    } catch (error) {
      const { logFile } = this.#files(name);
      throw new Error(
        `${name} does not become ready; the end of ${logFile}:\n${logTail(logFile)}`,
        {
          cause: error,
        },
      );
    }
  }
}

/** A cgroup and all below it, the deepest first. */
function cgroupsIn(top: string): string[] {
  const below = readdirSync(top, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  return [...below.flatMap(({ name }) => cgroupsIn(join(top, name))), top];
}

function endProcess(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It has ended meanwhile.
  }
}

/** The one that all tests share. */
export function sharedSlurmDaemons(): SlurmDaemons {
  return new SlurmDaemons(publicFolder("slurm"), "node01");
}
