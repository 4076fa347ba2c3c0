import { execFile } from "node:child_process";
import { appendFileSync, existsSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { asUser, type OrdinaryUser, ordinaryUser } from "./ordinary-user.ts";
import { publicFolder } from "./public-folder.ts";
import { whyNoAccounting } from "./slurm-accounting.ts";
import { SlurmDaemons } from "./slurm-daemons.ts";
import type { SlurmRelease } from "./slurm-releases.ts";
import { waitUntil } from "./wait-until.ts";

/** A program of Slurm, run once. What it wrote to stdout is the file `NAME.txt`. */
interface RecordedCommand {
  name: string;
  program: string;
  args: readonly string[];
  exitCode: number;
  stderr: string;
}

/** As the plugin asks: its unit tests hold the two together. */
const QUEUE = ["--noheader", "--all", "--states=all"];
const QUEUE_FORMAT = "--format=MARK|%i|%T|%r|%S|%e|%N|%k";
const NODES = ["--noheader", "--Node", "--format=%N|%R|%a|%T|%c|%m|%G"];
const ACCOUNTING = [
  "--noheader",
  "--parsable2",
  "--allocations",
  "--format=JobIDRaw,State,ExitCode,Start,End,NodeList,JobName",
];
const SINCE = "2020-01-01T00:00:00";
const SLEEP = "sleep 1000";
const WAIT_MS = 150_000;

/**
 * Brings jobs of a Slurm of our own into all states that can be brought about, and writes down what its programs print
 * about them, in the words in which the Slurm plugin asks, into a folder below `folder` that has the version's name: for unit
 * tests that read it without any Slurm. `release`: one that was built here; else this machine's own. With a database where
 * there is one of the same release.
 */
export async function recordSlurm(
  folder: string,
  release: SlurmRelease | undefined,
  say: (line: string) => void,
): Promise<void> {
  const name = `rec${process.pid}`;
  const database = release === undefined || existsSync(join(release.folder, "bin/slurmdbd"));
  const accounting = database && whyNoAccounting() === undefined;
  const daemons = new SlurmDaemons(publicFolder(`slurm-${name}`), name, {
    accounting,
    nodes: 3,
    ...(release !== undefined && { release: release.folder }),
  });
  const told = await daemons.command("sinfo", "--version");
  const own = join(folder, /\d+\.\d+\S*/.exec(told)?.[0] ?? "unknown");
  const recording = new Recording(daemons, await ordinaryUser(), own);
  try {
    await daemons.start();
    say(`Recording ${told.trim()} in ${own}`);
    rmSync(own, { recursive: true, force: true });
    mkdirSync(own, { recursive: true });
    await recording.bringAbout();
    await recording.ask(accounting);
    await recording.askInVain();
    if (release !== undefined) await recording.askTooOften();
    recording.write();
  } finally {
    // What is frozen cannot be ended.
    await recording.thaw();
    await daemons.destroy();
  }
}

class Recording {
  readonly #daemons: SlurmDaemons;
  readonly #user: OrdinaryUser;
  readonly #folder: string;
  readonly #jobs = new Map<string, string>();
  readonly #commands: RecordedCommand[] = [];

  constructor(daemons: SlurmDaemons, user: OrdinaryUser, folder: string) {
    this.#daemons = daemons;
    this.#user = user;
    this.#folder = folder;
  }

  async bringAbout(): Promise<void> {
    const [first = "", second = "", third = ""] = this.#daemons.nodeNames;
    const here = `--nodelist=${first}`;
    const whole = [`--nodelist=${third}`, "--cpus-per-task=64"];
    await this.#submit("completed", "true", here);
    await this.#submit("failed", "exit 3", here);
    await this.#submit("signalled", "kill -KILL $$", here);
    const greedy = "head -c 200M /dev/zero | tail -c 190M | wc -c; sleep 1";
    await this.#submit("out-of-memory", greedy, here);
    await this.#submit("timeout", SLEEP, here, "--time=1");
    await this.#submit("cancelled-by-user", SLEEP, here);
    await this.#submit("cancelled-by-root", SLEEP, here);
    await this.#submit("cancelled-while-pending", "true", "--hold");
    for (const again of ["requeued", "requeue-held", "special-exit"]) {
      await this.#submit(again, SLEEP, here, "--requeue");
    }
    await this.#submit("node-failed", SLEEP, `--nodelist=${second}`, "--no-requeue");
    await this.#submit("preempted", SLEEP, "--partition=low", ...whole);
    await this.#submit("running", SLEEP, here);
    await this.#submit("suspended", SLEEP, here);
    await this.#submit("held", "true", "--hold");
    await this.#submit("begin-time", "true", "--begin=now+10hours");
    await this.#submit("time-limit", "true", "--partition=short", "--time=30");
    await this.#submit("array", SLEEP, here, "--array=1-4%2");
    await this.#submit("odd|name\t'x", SLEEP, here, "--comment=a|b\t\"'\\ $(x)");

    const started = ["timeout", "cancelled-by-user", "cancelled-by-root", "requeued", "suspended"];
    for (const one of [...started, "requeue-held", "special-exit", "node-failed", "preempted"]) {
      await this.#until(one, "RUNNING");
    }
    await this.#submit("dependency", "true", `--dependency=afterok:${this.#id("running")}`);
    await this.#run("scancel", this.#id("cancelled-by-user"), this.#id("cancelled-while-pending"));
    await this.#daemons.command("scancel", this.#id("cancelled-by-root"));
    const control = (...words: string[]) => this.#daemons.command("scontrol", ...words);
    await control("update", `JobId=${this.#id("timeout")}`, "EndTime=now");
    await control("requeue", this.#id("requeued"));
    await control("requeuehold", this.#id("requeue-held"));
    await control("requeuehold", "State=SpecialExit", this.#id("special-exit"));
    await control("suspend", this.#id("suspended"));
    await this.#daemons.stopDaemon("slurmd-2");
    await control("update", `NodeName=${second}`, "State=DOWN", 'Reason=it said: "no|way"');
    await this.#submit("urgent", SLEEP, "--partition=urgent", ...whole);
    const ends = {
      completed: "COMPLETED",
      failed: "FAILED",
      signalled: "FAILED",
      timeout: "TIMEOUT",
      "cancelled-by-user": "CANCELLED",
      "cancelled-by-root": "CANCELLED",
      "cancelled-while-pending": "CANCELLED",
      requeued: "PENDING",
      "requeue-held": "PENDING",
      "special-exit": "SPECIAL_EXIT",
      "node-failed": "NODE_FAIL",
      preempted: "PREEMPTED",
      suspended: "SUSPENDED",
      urgent: "RUNNING",
      ...(this.#daemons.holdsMemory && { "out-of-memory": "OUT_OF_MEMORY" }),
    };
    for (const [one, state] of Object.entries(ends)) await this.#until(one, state);
    await this.#submit("no-room", "true", ...whole);
    // Several at once: parts of one job, and one job on two nodes.
    await this.#submit("parts", SLEEP, ":", "--ntasks=1");
    await this.#run("scancel", this.#id("urgent"));
    await this.#until("urgent", "CANCELLED");
    await this.#run("scancel", this.#id("no-room"));
    await this.#submit("two-nodes", SLEEP, "--nodes=2", `--nodelist=${first},${third}`);
    await this.#until("two-nodes", "RUNNING");
    await control("update", `NodeName=${third}`, "State=DRAIN", "Reason=for repair");
    await control("update", "PartitionName=low", "State=DOWN");
    await this.#submit("partition-down", "true", "--partition=low");
  }

  async ask(accounting: boolean): Promise<void> {
    const { uid } = this.#user;
    await this.#record("squeue", "squeue", ...QUEUE, `--user=${uid}`, QUEUE_FORMAT);
    await this.#record("squeue-nobody", "squeue", ...QUEUE, "--user=1", QUEUE_FORMAT);
    await this.#record("sinfo", "sinfo", ...NODES);
    await this.#record("scontrol-show-job", "scontrol", "show", "job");
    await this.#record("scontrol-show-node", "scontrol", "show", "node");
    await this.#record("scontrol-show-config", "scontrol", "show", "config");
    await this.#record("scontrol-unknown-job", "scontrol", "show", "job", "999999");
    await this.#record("scontrol-release-running", "scontrol", "release", this.#id("running"));
    await this.#record("scancel-unknown-job", "scancel", "999999");
    await this.#record("scancel-ended-job", "scancel", this.#id("completed"));
    const ended = [this.#id("completed"), this.#id("failed")].join(",");
    const sacct = [...ACCOUNTING, `--jobs=${[...this.#jobs.values()].join(",")}`];
    if (accounting) {
      // It hears of ends a moment later.
      await waitUntil("accounting knows the ends", async () => {
        const told = await this.#run("sacct", ...ACCOUNTING, `--jobs=${ended}`);
        return told.includes("COMPLETED") && told.includes("FAILED");
      });
      await this.#record("sacct", "sacct", ...sacct);
      const byName = ["--name=failed", `--starttime=${SINCE}`];
      await this.#record("sacct-by-name", "sacct", ...ACCOUNTING, ...byName);
    }
    await this.#record("sbatch", "sbatch", "--parsable", "--hold", "--wrap=true");
    await this.#record("sbatch-partition", "sbatch", "--partition=nosuch", "--wrap=true");
    await this.#record("sbatch-drained", "sbatch", "--partition=drained", "--wrap=true");
    await this.#record("sbatch-cpus", "sbatch", "--cpus-per-task=5000", "--wrap=true");
  }

  /** While slurmctld does not run. */
  async askInVain(): Promise<void> {
    await this.#daemons.stopDaemon("slurmctld");
    await Promise.all([
      this.#record("down-squeue", "squeue", ...QUEUE, "--user=0", QUEUE_FORMAT),
      this.#record("down-sinfo", "sinfo", ...NODES),
      this.#record("down-scontrol-show-job", "scontrol", "show", "job", this.#id("running")),
      this.#record("down-scancel", "scancel", this.#id("running")),
      this.#record("down-sbatch", "sbatch", "--wrap=true"),
    ]);
  }

  /** More often than slurmctld allows each user (`rl_enable`, from 23.02 on). */
  async askTooOften(): Promise<void> {
    const limit = "rl_enable,rl_bucket_size=1,rl_refill_rate=1,rl_refill_period=2";
    appendFileSync(this.#daemons.conf, `SlurmctldParameters=${limit}\n`);
    await this.#startController();
    const ask = (name: string) =>
      this.#record(name, "squeue", ...QUEUE, `--user=${this.#user.uid}`, QUEUE_FORMAT);
    await Promise.all(Array.from({ length: 4 }, (_, at) => ask(`limited-squeue-${at + 1}`)));
  }

  async thaw(): Promise<void> {
    const job = this.#jobs.get("suspended");
    if (job === undefined) return;
    await this.#startController();
    await this.#daemons.command("scontrol", "resume", job).catch(() => undefined);
  }

  write(): void {
    const jobs = Object.fromEntries([...this.#jobs].map(([name, id]) => [id, name]));
    const index = { user: this.#user.uid, jobs, commands: this.#commands };
    writeFileSync(join(this.#folder, "commands.json"), `${JSON.stringify(index, null, 2)}\n`);
  }

  async #startController(): Promise<void> {
    await this.#daemons.startDaemon("slurmctld");
    await waitUntil("slurmctld answers", async () =>
      (await this.#daemons.command("scontrol", "ping")).includes(" is UP"),
    );
  }

  #id(name: string): string {
    const id = this.#jobs.get(name);
    if (id === undefined) throw new Error(`there is no job ${name}`);
    return id;
  }

  async #submit(name: string, script: string, ...options: string[]): Promise<void> {
    const own = options.some((word) => word.startsWith("--comment="));
    const part = options.indexOf(":");
    const before = part < 0 ? options : options.slice(0, part);
    const told = await this.#run(
      "sbatch",
      "--parsable",
      "--output=/dev/null",
      "--chdir=/",
      `--job-name=${name}`,
      ...(options.some((word) => word.startsWith("--mem=")) ? [] : ["--mem=50M"]),
      ...(own ? [] : [`--comment=interlink:recorded:${name}`]),
      ...before,
      ...(part < 0 ? [] : options.slice(part)),
      `--wrap=${script}`,
    );
    this.#jobs.set(name, told.trim());
  }

  async #until(name: string, state: string): Promise<void> {
    const show = ["--oneliner", "show", "job", this.#id(name)];
    await waitUntil(
      `${name} is ${state}`,
      async () => {
        const shown = await this.#daemons.command("scontrol", ...show);
        if (!shown.includes(` JobState=${state} `)) throw new Error(shown.slice(0, 400));
        return true;
      },
      WAIT_MS,
    );
  }

  async #run(program: string, ...args: string[]): Promise<string> {
    const { exitCode, stdout, stderr } = await this.#ask(program, args);
    if (exitCode === 0) return stdout;
    throw new Error(`${program} ${args.join(" ")}: ${stderr}`);
  }

  async #record(name: string, program: string, ...args: string[]): Promise<void> {
    const { exitCode, stdout, stderr } = await this.#ask(program, args);
    this.#commands.push({ name, program, args, exitCode, stderr });
    writeFileSync(join(this.#folder, `${name}.txt`), stdout);
  }

  /** As the plugin runs them. */
  #ask(
    program: string,
    args: readonly string[],
  ): Promise<{ exitCode: number; stdout: string; stderr: string }> {
    const { conf } = this.#daemons;
    const env = { SLURM_CONF: conf, LC_ALL: "C.UTF-8", SLURM_TIME_FORMAT: "%s", TZ: "UTC" };
    const words = asUser(this.#user, env, [this.#daemons.program(program), ...args]);
    const [command = "", ...rest] = words;
    return new Promise((resolve, reject) => {
      execFile(command, rest, { timeout: 60_000, cwd: "/" }, (error, stdout, stderr) => {
        if (typeof error?.code === "string")
          reject(new Error(`${program} cannot be run`, { cause: error }));
        else resolve({ exitCode: error === null ? 0 : (error.code ?? -1), stdout, stderr });
      });
    });
  }
}
