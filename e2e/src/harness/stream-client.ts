import { type ChildProcessByStdio, spawn } from "node:child_process";
import type { Readable, Writable } from "node:stream";
import { waitUntil } from "../systems/wait-until.ts";

/** A kubectl of some age, made to speak in some way. */
export interface ClientProgram {
  title: string;
  path: string;
  env?: Record<string, string>;
}

export interface StreamResult {
  code: number | null;
  stdout: Buffer;
  stderr: string;
}

const DEADLINE_MS = 60_000;

/** A real kubectl for what it does with bytes: input, output and terminals, none of them text. */
export class StreamClient {
  readonly #program: ClientProgram;
  readonly #kubeconfig: string;

  constructor(program: ClientProgram, kubeconfig: string) {
    this.#program = program;
    this.#kubeconfig = kubeconfig;
  }

  /** Runs to the end; without `input` there is none. */
  async run(args: readonly string[], input: Buffer | string = ""): Promise<StreamResult> {
    await using running = this.start(args);
    running.stdin.end(input);
    return await running.ended;
  }

  start(args: readonly string[]): RunningClient {
    return this.#spawn(this.#program.path, args);
  }

  /**
   * Runs in a terminal of its own, which shell commands prepare before kubectl starts. What is shown there comes as
   * `stdout`.
   */
  async inTerminal(prepare: string, args: readonly string[]): Promise<StreamResult> {
    const words = [this.#program.path, ...args].map(quoted).join(" ");
    const command = `${prepare}\nexec ${words}`;
    await using running = this.#spawn("script", ["-qec", command, "/dev/null"]);
    // Its end would be typed as the end of the input.
    return await running.ended;
  }

  #spawn(path: string, args: readonly string[]): RunningClient {
    const env = { ...process.env, KUBECONFIG: this.#kubeconfig, ...this.#program.env };
    const signal = AbortSignal.timeout(DEADLINE_MS);
    return new RunningClient(
      spawn(path, [...args], { env, signal, stdio: ["pipe", "pipe", "pipe"] }),
      args.join(" "),
    );
  }
}

/** One run of it, ended at the latest with the test. */
export class RunningClient implements AsyncDisposable {
  readonly ended: Promise<StreamResult>;
  readonly #child: ChildProcessByStdio<Writable, Readable, Readable>;
  readonly #what: string;
  readonly #stdout: Buffer[] = [];
  #stderr = "";

  constructor(child: ChildProcessByStdio<Writable, Readable, Readable>, what: string) {
    this.#child = child;
    this.#what = what;
    child.stdin.on("error", () => undefined);
    child.stdout.on("data", (chunk: Buffer) => this.#stdout.push(chunk));
    child.stderr.setEncoding("utf8").on("data", (text: string) => (this.#stderr += text));
    child.on("error", (error) => (this.#stderr += error.message));
    this.ended = new Promise((resolve) => {
      child.once("close", (code) =>
        resolve({ code, stdout: Buffer.concat(this.#stdout), stderr: this.#stderr }),
      );
    });
  }

  get stdin(): Writable {
    return this.#child.stdin;
  }

  /** Waits until stdout or stderr holds what is looked for; fails with what they hold, at once when it has ended. */
  async output(pattern: RegExp): Promise<RegExpExecArray> {
    const seen = (): string => Buffer.concat(this.#stdout).toString() + this.#stderr;
    let over = false;
    void this.ended.then(() => (over = true));
    const found = await waitUntil(`kubectl ${this.#what} prints ${pattern}`, () => {
      const match = pattern.exec(seen());
      return match !== null || over ? { match } : undefined;
    });
    if (found.match !== null) return found.match;
    throw new Error(`kubectl ${this.#what} did not print ${pattern} but: ${seen()}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode === null) this.#child.kill("SIGTERM");
    await this.ended;
  }
}

function quoted(word: string): string {
  return `'${word.replaceAll("'", "'\\''")}'`;
}
