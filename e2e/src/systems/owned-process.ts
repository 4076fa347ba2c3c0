import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, openSync } from "node:fs";
import { logTail } from "./daemon.ts";
import { findProgram } from "./programs.ts";

/**
 * A real program that lives as long as a test does. On Linux the kernel ends it when we die, however we die
 * (PR_SET_PDEATHSIG, through `setpriv` of util-linux).
 */
export class OwnedProcess implements AsyncDisposable {
  readonly name: string;
  readonly #logFile: string;
  readonly #child: ChildProcess;
  readonly #ended: Promise<unknown>;
  #isOver = false;

  constructor(name: string, command: readonly string[], logFile: string) {
    this.name = name;
    this.#logFile = logFile;
    const setpriv = findProgram("setpriv");
    const [program = "", ...args] =
      setpriv === undefined ? command : [setpriv, "--pdeathsig", "KILL", "--", ...command];
    const log = openSync(logFile, "a", 0o600);
    try {
      this.#child = spawn(program, args, { stdio: ["ignore", log, log] });
    } finally {
      closeSync(log);
    }
    // A program that cannot be started ends at once; whoever waits for it sees that, and the log.
    this.#ended = once(this.#child, "exit")
      .catch(() => {})
      .then(() => (this.#isOver = true));
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  /** `undefined`: it could not be started. */
  get pid(): number | undefined {
    return this.#child.pid;
  }

  /** The end of what it printed. */
  get log(): string {
    return logTail(this.#logFile, 12);
  }

  /** As a crash would; resolves when it is gone. */
  async kill9(): Promise<void> {
    if (!this.#isOver) this.#child.kill("SIGKILL");
    await this.#ended;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill9();
  }
}
