import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { waitUntil } from "../systems/wait-until.ts";

/** The built command line program, the one that users run. */
export const interlinkMain = fileURLToPath(
  new URL("../../../packages/cli/dist/main.js", import.meta.url),
);

/** How a process ended. */
export interface Ended {
  code: number | null;
  signal: NodeJS.Signals | null;
}

/** One run of `interlink …` as a process of its own. */
export class Program implements AsyncDisposable {
  readonly args: readonly string[];
  readonly #child: ChildProcess;
  readonly ended: Promise<Ended>;
  #stdout = "";
  #stderr = "";
  #isOver = false;

  constructor(args: readonly string[], env: Record<string, string> = {}) {
    this.args = args;
    this.#child = spawn(process.execPath, [interlinkMain, ...args], {
      env: { ...process.env, ...env },
      stdio: ["ignore", "pipe", "pipe"],
    });
    this.#child.stdout?.setEncoding("utf8").on("data", (text: string) => (this.#stdout += text));
    this.#child.stderr?.setEncoding("utf8").on("data", (text: string) => (this.#stderr += text));
    this.ended = once(this.#child, "close").then(([code, signal]) => {
      this.#isOver = true;
      return { code: code as number | null, signal: signal as NodeJS.Signals | null };
    });
  }

  get pid(): number {
    if (this.#child.pid === undefined) throw new Error("The program did not start");
    return this.#child.pid;
  }

  get stdout(): string {
    return this.#stdout;
  }

  get stderr(): string {
    return this.#stderr;
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  /** Waits until the output holds what is looked for; fails at once, with all output, when the process ends before. */
  async output(pattern: RegExp, timeoutMs = 30_000): Promise<RegExpExecArray> {
    const seen = await waitUntil(
      `interlink ${this.args.join(" ")} prints ${pattern}`,
      () => {
        const found = pattern.exec(this.#stdout) ?? pattern.exec(this.#stderr);
        // Waiting longer for a program that has ended is of no use.
        return found !== null ? { found } : this.#isOver ? { found } : undefined;
      },
      timeoutMs,
    );
    if (seen.found !== null) return seen.found;
    throw new Error(
      `interlink ${this.args.join(" ")} ended before it printed ${pattern}\nstdout: ${this.#stdout}\nstderr: ${this.#stderr}`,
    );
  }

  /** Until the program says that it serves. */
  async ready(): Promise<this> {
    await this.output(/"msg":"ready"/);
    return this;
  }

  /** As a crash of the machine would: no handler runs. */
  async kill9(): Promise<Ended> {
    if (!this.#isOver) this.#child.kill("SIGKILL");
    return this.ended;
  }

  signal(name: NodeJS.Signals): void {
    this.#child.kill(name);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#isOver) return;
    this.#child.kill("SIGTERM");
    const kill = setTimeout(() => this.#child.kill("SIGKILL"), 15_000);
    await this.ended;
    clearTimeout(kill);
  }
}
