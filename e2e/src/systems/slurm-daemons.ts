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
import {
  ACCOUNTING_DAEMONS,
  type AccountingDaemon,
  isAccountingDaemon,
  SlurmAccounting,
} from "./slurm-accounting.ts";
import { CLUSTER, type SlurmConfigOptions, slurmConfig } from "./slurm-config.ts";
import { waitUntil } from "./wait-until.ts";

/** What every Slurm consists of. */
const DAEMONS = ["munged", "slurmctld", "slurmd"] as const;
/** `slurmd-2` and so on are those of further nodes. */
export type SlurmDaemon = (typeof DAEMONS)[number] | AccountingDaemon | `slurmd-${number}`;

/** How a Slurm of our own differs from the usual one: one node, no accounting, the machine's programs. */
export interface SlurmShape {
  /** That each node says it has. */
  cpus?: number;
  /** See `slurmConfig`. */
  messageTimeout?: number;
  /** Default 1. */
  nodes?: number;
  /** Keeps jobs that have ended in a database. */
  accounting?: boolean;
  /** Seconds for which slurmctld remembers ended jobs. */
  minJobAge?: number;
  /** Folder of another release of Slurm, see slurm-build.ts. */
  release?: string;
}

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
  readonly #shape: SlurmShape;
  readonly #accounting: SlurmAccounting | undefined;

  constructor(folder: string, nodeName: string, shape: SlurmShape = {}) {
    this.folder = folder;
    this.nodeName = nodeName;
    this.#shape = shape;
    const plugins = shape.release === undefined ? undefined : join(shape.release, "plugins");
    this.#accounting = shape.accounting === true ? new SlurmAccounting(folder, plugins) : undefined;
  }

  /** Names of all nodes; {@link nodeName} is the first. */
  get nodeNames(): string[] {
    const { nodes = 1 } = this.#shape;
    return Array.from({ length: nodes }, (_, at) =>
      at === 0 ? this.nodeName : `${this.nodeName}-${at + 1}`,
    );
  }

  /** In the order in which they start. */
  get #daemons(): SlurmDaemon[] {
    const accounting = this.#accounting === undefined ? [] : ACCOUNTING_DAEMONS;
    const nodes = this.nodeNames.map(
      (_, at): SlurmDaemon => (at === 0 ? "slurmd" : `slurmd-${at + 1}`),
    );
    return ["munged", ...accounting, "slurmctld", ...nodes];
  }

  /** Where a program of this Slurm is. */
  program(name: string): string {
    const { release } = this.#shape;
    const own = release === undefined ? undefined : join(release, "bin", name);
    return own !== undefined && existsSync(own) ? own : (findProgram(name) ?? name);
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
    return this.#daemons.some((name) => this.#pid(name) !== undefined);
  }

  /** Starts it, or finds it running. Resolves when the node takes jobs. */
  async start(): Promise<void> {
    const daemons = this.#daemons;
    if (daemons.some((name) => this.#pid(name) === undefined)) {
      // Of a run that was killed there may be some left: half a Slurm, whose ports and key are its own.
      for (const name of daemons.toReversed()) await this.stopDaemon(name);
      await this.#configure();
      for (const name of daemons) await this.startDaemon(name);
      await this.#becomeReady();
      await this.#endJobs();
    }
    await this.#becomeReady();
  }

  /** With all its jobs: their processes would outlive it. */
  async stop(): Promise<void> {
    if (!this.runs) return;
    try {
      if (this.#daemons.every((name) => this.#pid(name) !== undefined)) await this.#endJobs();
    } finally {
      for (const name of this.#daemons.toReversed()) await this.stopDaemon(name);
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
    startDaemon(this.program(programOf(name)), this.#arguments(name), {
      ...this.#files(name),
      env: { SLURM_CONF: this.conf },
    });
    if (name === "mariadbd" || name === "slurmdbd") {
      await this.#explained(name, async () => this.#accounting?.ready(name));
      if (name === "slurmdbd") {
        // Unknown to it, a cluster's jobs are not written down.
        await this.command("sacctmgr", "--immediate", "add", "cluster", CLUSTER);
      }
    }
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
    await stopDaemon(this.#files(name).pidFile, programOf(name));
  }

  /** Halts one of them, so that it answers nobody and forgets nothing; or lets it go on. */
  signalDaemon(name: SlurmDaemon, signal: "SIGSTOP" | "SIGCONT"): void {
    const pid = this.#pid(name);
    if (pid === undefined) throw new Error(`${name} does not run`);
    process.kill(pid, signal);
  }

  /** What slurmctld, which must not run, remembers of jobs. As it does by itself, only late, with those that have ended. */
  forgetJobs(): void {
    for (const name of ["job_state", "job_state.old"]) {
      rmSync(join(this.folder, "state", name), { force: true });
    }
  }

  /** A Slurm command as root; rejects with what it wrote to stderr. */
  async command(program: string, ...args: readonly string[]): Promise<string> {
    const all = [`SLURM_CONF=${this.conf}`, this.program(program), ...args];
    return (await runProgram("env", all)).toString();
  }

  #arguments(name: SlurmDaemon): string[] {
    if (isAccountingDaemon(name)) return this.#accounting?.arguments(name) ?? [];
    if (programOf(name) === "slurmd") {
      const { release } = this.#shape;
      const step = release === undefined ? [] : ["-d", join(release, "bin/slurmstepd")];
      return ["-D", "-N", this.nodeNames[nodeIndex(name)] ?? this.nodeName, ...step];
    }
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
    for (const name of ["munge", "state", "log", "pids"]) {
      mkdirSync(join(this.folder, name), { recursive: true, mode: 0o755 });
    }
    // Its lock is what keeps a second one from this socket; the socket of a killed one is only in the way.
    for (const name of ["socket", "socket.lock"]) {
      rmSync(join(this.folder, "munge", name), { force: true });
    }
    const key = join(this.folder, "munge/key");
    if (!existsSync(key)) writeFileSync(key, randomBytes(1024), { mode: 0o600 });
    const { cpus, messageTimeout, minJobAge, release } = this.#shape;
    const names = this.nodeNames;
    const [controllerPort = 0, ...ports] = await freePorts(1 + names.length);
    const [hostName = ""] = hostname().split(".");
    const { folder, holdsMemory: cgroups } = this;
    await this.#accounting?.configure();
    const options: SlurmConfigOptions = {
      folder,
      hostName,
      nodes: names.map((name, at) => ({ name, port: ports[at] ?? 0 })),
      controllerPort,
      cgroups,
      ...(cpus !== undefined && { cpus }),
      ...(messageTimeout !== undefined && { messageTimeout }),
      ...(minJobAge !== undefined && { minJobAge }),
      ...(this.#accounting && { accountingPort: this.#accounting.port }),
      ...(release !== undefined && { plugins: join(release, "plugins") }),
    };
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
      waitUntil("the nodes take jobs", async () => {
        const words = ["--noheader", "--Node", "--partition=debug", "--format=%N %T"];
        const told = (await this.command("sinfo", ...words)).trim().split("\n");
        const states = told.map((line) => line.split(" "));
        for (const [node = "", state = ""] of states) {
          // What a test, or a crash, has left behind.
          if (/^(down|drain)/.test(state)) {
            await this.command("scontrol", "update", `NodeName=${node}`, "State=RESUME");
          }
        }
        return states.every(([, state = ""]) => /^(idle|mixed|allocated)$/.test(state));
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
    const tops = CGROUPS.flatMap((controller) =>
      this.nodeNames.map((name) => join(controller, `slurm_${name}`)),
    );
    for (const top of tops.filter((one) => existsSync(one))) {
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
    return daemonPid(this.#files(name).pidFile, programOf(name));
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

function programOf(name: SlurmDaemon): string {
  return name.startsWith("slurmd-") ? "slurmd" : name;
}

/** Of `slurmd-2`: 1. */
function nodeIndex(name: SlurmDaemon): number {
  return Number(name.replace(/^slurmd-?/, "") || 1) - 1;
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
