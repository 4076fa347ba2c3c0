import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, openSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { isReady, problemsIn } from "./problems.ts";
import { until } from "./until.ts";

/** Between SIGTERM and SIGKILL. */
const STOP_MS = 15_000;
const READY_MS = 60_000;

export interface ProgramOptions {
  /** For the log file and for messages. */
  name: string;
  /** Script and arguments for this Node. */
  args: readonly string[];
  /** Where the log goes. */
  directory: string;
  /** Where a CPU profile goes when the program ends. */
  cpuProfiles?: string | undefined;
  /** Processors that it and what it starts may use, as a list for taskset(1). Default: all. */
  processors?: string | undefined;
  /** The command line that runs this one as somebody else. */
  as?: ((command: readonly string[]) => readonly string[]) | undefined;
}

/**
 * One part as a process of its own. Its log goes to a file, as in production, so that reading it costs the benchmark
 * nothing. It has a process group of its own: Ctrl-C reaches only the benchmark, which then stops things in order.
 */
export class Program implements AsyncDisposable {
  readonly name: string;
  readonly #child: ChildProcess;
  readonly #log: string;
  readonly #ended: Promise<unknown>;
  #isOver = false;

  constructor({ name, args, directory, cpuProfiles, processors, as }: ProgramOptions) {
    this.name = name;
    this.#log = join(directory, `${name}.log`);
    const profiling =
      cpuProfiles === undefined
        ? []
        : ["--cpu-prof", `--cpu-prof-dir=${cpuProfiles}`, `--cpu-prof-name=${name}.cpuprofile`];
    const log = openSync(this.#log, "a", 0o600);
    try {
      const kept = processors === undefined ? [] : ["taskset", "--cpu-list", processors];
      const command = [...kept, process.execPath, ...profiling, ...args];
      const [file = process.execPath, ...words] = as?.(command) ?? command;
      this.#child = spawn(file, words, {
        stdio: ["ignore", log, log],
        detached: true,
      });
    } finally {
      closeSync(log);
    }
    this.#child.on("error", () => (this.#isOver = true));
    this.#ended = once(this.#child, "exit").finally(() => (this.#isOver = true));
    // Who stops it waits for it; before that its end is seen by `ready` or by the work that fails.
    this.#ended.catch(() => undefined);
  }

  get pid(): number {
    if (this.#child.pid === undefined) throw new Error(`${this.name} did not start`);
    return this.#child.pid;
  }

  /** Waits for the line that says it serves, and gives that line. Throws with the log when the program ends before. */
  async ready(signal: AbortSignal): Promise<Record<string, unknown>> {
    return until(
      `${this.name} is ready`,
      async () => {
        const text = await readFile(this.#log, "utf8");
        const line = text.split("\n").find((one) => isReady(one));
        if (line !== undefined) return JSON.parse(line) as Record<string, unknown>;
        if (this.#isOver) throw new Error(`${this.name} ended before it was ready:\n${text}`);
        return undefined;
      },
      signal,
      READY_MS,
    );
  }

  /** Those lines of its log so far. */
  async lines(are: (line: string) => boolean): Promise<string[]> {
    // The last one may be half written.
    return (await readFile(this.#log, "utf8")).split("\n").slice(0, -1).filter(are);
  }

  /** What it has complained of since it was ready. */
  async problems(): Promise<string[]> {
    return problemsIn(await readFile(this.#log, "utf8"));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#isOver || this.#child.pid === undefined) return;
    this.#child.kill("SIGTERM");
    const kill = setTimeout(() => this.#child.kill("SIGKILL"), STOP_MS);
    try {
      await this.#ended;
    } finally {
      clearTimeout(kill);
    }
  }
}
