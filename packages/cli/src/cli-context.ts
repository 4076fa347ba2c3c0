import type { Readable } from "node:stream";
import type { Output } from "./up/screen.ts";

/** What the commands need of the world; given by `main`, and by tests. */
export interface CliContext {
  stdout: Output;
  stderr: Output;
  /** Opened only by who reads it. */
  stdin: () => Readable;
  env: Readonly<Record<string, string | undefined>>;
  /** Fires when the person or the system asks the program to end (Ctrl-C, SIGTERM). */
  signal: AbortSignal;
  /** Fires at the second request: end at once. */
  impatience: AbortSignal;
  setExitCode(code: number): void;
}
