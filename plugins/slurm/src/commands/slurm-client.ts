import { randomBytes } from "node:crypto";
import type { SlurmCommands } from "../config/slurm-config.ts";
import { type ClusterNode, NODE_ARGUMENTS, parseNodes } from "../slurm/cluster-nodes.ts";
import { type ControllerSettings, parseSettings } from "../slurm/controller-settings.ts";
import {
  accountingArguments,
  type JobDetails,
  parseAccounting,
  parseShowJob,
} from "../slurm/job-details.ts";
import { parseNodeAddress } from "../slurm/node-address.ts";
import { parseQueue, type QueuedJob, queueArguments } from "../slurm/queue.ts";
import { submittedJob } from "../slurm/submitted.ts";
import { askingEnvironment, jobEnvironment } from "./environment.ts";
import { ProgramHelper } from "./program-helper.ts";
import { type ProgramOutput, runProgram } from "./run-program.ts";
import { SlurmError } from "./slurm-error.ts";

/** A user of this machine, as getent tells it. */
export interface SystemUser {
  uid: number;
  gid: number;
  name: string;
  home: string;
}

export interface SlurmClientOptions {
  commands: SlurmCommands;
  env: Readonly<Record<string, string | undefined>>;
  /** Variables that jobs get. */
  passEnvironment: readonly string[];
  /** Of each program. */
  deadlineMs: number;
}

/**
 * Slurm by its programs, each with a deadline and without a shell. Everything throws `SlurmError`, or `SlurmOutputError`
 * for output that cannot be read.
 */
export class SlurmClient implements Disposable {
  readonly #options: SlurmClientOptions;
  /** What is run again and again; all else is run once in a while, or for long. */
  readonly #helper = new ProgramHelper();
  readonly #askingEnvironment: Readonly<Record<string, string>>;
  readonly #jobEnvironment: Readonly<Record<string, string>>;

  constructor(options: SlurmClientOptions) {
    this.#options = options;
    this.#askingEnvironment = askingEnvironment(options.env);
    this.#jobEnvironment = jobEnvironment(options.env, options.passEnvironment);
  }

  /**
   * Submits a job and gives its id; `undefined`: sbatch has ended well and told no id, so there is a job to be looked for.
   * `words` are those behind `sbatch`.
   */
  async submit(
    words: readonly string[],
    user: SystemUser | undefined,
    signal?: AbortSignal,
  ): Promise<string | undefined> {
    const { commands, env, passEnvironment } = this.#options;
    const { stdout } = await this.#helper.run(commands.sbatch, words, {
      env: user === undefined ? this.#jobEnvironment : jobEnvironment(env, passEnvironment, user),
      deadlineMs: this.#options.deadlineMs,
      ...(signal && { signal }),
    });
    return submittedJob(stdout);
  }

  /** All jobs of these users that Slurm knows, also those that ended a while ago. */
  async queue(users: readonly string[], signal?: AbortSignal): Promise<QueuedJob[]> {
    const mark = randomBytes(9).toString("hex");
    const { stdout } = await this.#ask("squeue", queueArguments(mark, users), signal);
    return parseQueue(stdout, mark);
  }

  /** One job; `undefined`: Slurm itself says that it does not know it. */
  async job(id: string, signal?: AbortSignal): Promise<JobDetails | undefined> {
    try {
      const { stdout } = await this.#ask("scontrol", ["show", "job", id], signal);
      return parseShowJob(stdout)[0];
    } catch (error) {
      if (isUnknownJob(error)) return undefined;
      throw error;
    }
  }

  /** Where a node is reached; `undefined`: Slurm does not tell. */
  async nodeAddress(node: string, signal?: AbortSignal): Promise<string | undefined> {
    const { stdout } = await this.#ask("scontrol", ["show", "node", node], signal);
    return parseNodeAddress(stdout);
  }

  /** Ended jobs as accounting knows them. */
  async accounting(
    which: Parameters<typeof accountingArguments>[0],
    signal?: AbortSignal,
  ): Promise<JobDetails[]> {
    const { stdout } = await this.#ask("sacct", accountingArguments(which), signal);
    return parseAccounting(stdout);
  }

  /** Asks the job's script to end its pod in order: SIGTERM for the script alone. */
  async terminate(id: string, signal?: AbortSignal): Promise<void> {
    await this.#cancel(["--batch", "--signal=TERM", id], signal);
  }

  /** Has the job's script look for an update: SIGURG, which whoever does not wait for it ignores. */
  async tellNews(id: string, signal?: AbortSignal): Promise<void> {
    await this.#cancel(["--batch", "--signal=URG", id], signal);
  }

  /** Kills the job's script; Slurm then kills what it has left behind. */
  async kill(id: string, signal?: AbortSignal): Promise<void> {
    await this.#cancel(["--batch", "--signal=KILL", id], signal);
  }

  /** Cancels the job, whatever it does. A job that has ended, or that nobody knows, is no error. */
  async cancel(id: string, signal?: AbortSignal): Promise<void> {
    await this.#cancel([id], signal);
  }

  /** Cancels the job unless it has begun. */
  async cancelWaiting(id: string, signal?: AbortSignal): Promise<void> {
    await this.#cancel(["--state=PENDING", id], signal);
  }

  /** Lets a held job begin. One that does so already, has ended, or that nobody knows is no error. */
  async release(id: string, signal?: AbortSignal): Promise<void> {
    try {
      await this.#ask("scontrol", ["release", id], signal);
    } catch (error) {
      if (!isUnknownJob(error) && !isNotPending(error)) throw error;
    }
  }

  /** Pulls an image by the fixed script of the jobs, here. `words` are those behind `bash -p -c SCRIPT`. */
  async pullImage(
    bash: string,
    words: readonly string[],
    { deadlineMs, signal }: { deadlineMs: number; signal: AbortSignal },
  ): Promise<void> {
    await runProgram(bash, ["-p", "-c", ...words], {
      env: this.#jobEnvironment,
      deadlineMs,
      signal,
    });
  }

  async nodes(signal?: AbortSignal): Promise<ClusterNode[]> {
    const { stdout } = await this.#ask("sinfo", NODE_ARGUMENTS, signal);
    return parseNodes(stdout);
  }

  async settings(signal?: AbortSignal): Promise<ControllerSettings> {
    const { stdout } = await this.#ask("scontrol", ["show", "config"], signal);
    return parseSettings(stdout);
  }

  /** What the site's own program tells of its capacity: its output. */
  async resourceScript(program: string, signal?: AbortSignal): Promise<string> {
    return (await this.#run(program, [], signal)).stdout;
  }

  /** Throws `SlurmError` `refused` for a user that this machine does not know. */
  async user(uid: number, signal?: AbortSignal): Promise<SystemUser> {
    const { stdout } = await this.#run("getent", ["passwd", String(uid)], signal).catch(
      (error: unknown) => {
        throw new SlurmError("refused", `This site has no user ${uid}.`, { cause: error });
      },
    );
    const [name = "", , , gid = "", , home = "/"] = stdout.split("\n")[0]?.split(":") ?? [];
    if (name === "" || !/^\d+$/.test(gid)) {
      throw new SlurmError("refused", `This site has no user ${uid}.`);
    }
    return { uid, gid: Number(gid), name, home };
  }

  /** Lets those go who wait for a submission; what was begun goes on. */
  [Symbol.dispose](): void {
    this.#helper[Symbol.dispose]();
  }

  async #cancel(words: readonly string[], signal: AbortSignal | undefined): Promise<void> {
    try {
      await this.#ask("scancel", words, signal);
    } catch (error) {
      if (!isUnknownJob(error)) throw error;
    }
  }

  #ask(
    program: Exclude<keyof SlurmCommands, "sbatch">,
    words: readonly string[],
    signal: AbortSignal | undefined,
  ): Promise<ProgramOutput> {
    const { commands, deadlineMs } = this.#options;
    return this.#helper.run(commands[program], words, {
      env: this.#askingEnvironment,
      deadlineMs,
      ...(signal && { signal }),
    });
  }

  #run(
    program: string,
    words: readonly string[],
    signal: AbortSignal | undefined,
  ): Promise<ProgramOutput> {
    return runProgram(program, words, {
      env: this.#askingEnvironment,
      deadlineMs: this.#options.deadlineMs,
      ...(signal && { signal }),
    });
  }
}

function isNotPending(error: unknown): boolean {
  return error instanceof SlurmError && /job is no longer pending/i.test(error.message);
}

function isUnknownJob(error: unknown): boolean {
  return (
    error instanceof SlurmError &&
    /invalid job id|job\/step already completing or completed|job has already finished/i.test(
      error.message,
    )
  );
}
