import { type ChildProcess, spawn } from "node:child_process";
import { rm } from "node:fs/promises";
import { constants } from "node:os";
import { PassThrough, type Readable } from "node:stream";
import { setTimeout as delay } from "node:timers/promises";
import {
  consoleInput,
  endFrame,
  PluginError,
  readPlainFile,
  sizeFrame,
} from "@interlink/plugin-sdk";
import type { ProcessEnd, ProcessStreams } from "@interlink/protocol";

/** Runs the words behind the first, and writes their exit code into the file that the first names. */
const WITH_EXIT_CODE = 'file=$1; shift; "$@"; printf "%s\\n" "$?" >"$file"';

/** Compute nodes' writes may be seen this much later. */
const LAG_MS = 5000;
/** A command whose terminal has gone may take this long to end by that. */
const HANG_UP_MS = 5000;

/**
 * The words behind `srun` that run other words on the compute node of a running job, beside what runs there, on the node
 * that runs its script.
 */
export function overlapWords(jobId: string): string[] {
  return [
    "--overlap",
    `--jobid=${jobId}`,
    "--nodes=1",
    "--ntasks=1",
    "--relative=0",
    "--mem=0",
    "--quiet",
    "--unbuffered",
  ];
}

/** What is told in place of the words, which then write their exit code to `file`: srun tells any but 0 on stderr. */
export function withExitCode(file: string): string[] {
  return ["bash", "-p", "-c", WITH_EXIT_CODE, "exec", file];
}

/** As whom a program is started, if not as this process; only root can. */
export interface ProgramOwner {
  uid: number;
  gid: number;
}

export interface SessionOptions {
  env: Readonly<Record<string, string>>;
  owner: ProgramOwner | undefined;
  stdin: boolean;
  /** The words are in front of `console.pl`: input and sizes go as its frames, and it tells all on stdout. */
  tty: boolean;
  exitFile: string;
}

/** Starts a program with pipes. Throws `PluginError` `unavailable` if it cannot be started. */
export async function startProgram(
  [program = "", ...words]: readonly string[],
  env: Readonly<Record<string, string>>,
  owner: ProgramOwner | undefined,
  stdin: boolean,
): Promise<ChildProcess> {
  const child = spawn(program, words, {
    cwd: "/",
    env: { ...env },
    detached: true,
    stdio: [stdin ? "pipe" : "ignore", "pipe", "pipe"],
    ...owner,
  });
  await new Promise<void>((resolve, reject) => {
    child.once("spawn", resolve);
    child.on("error", (cause: NodeJS.ErrnoException) => {
      const why =
        cause.code === "ENOENT" || cause.code === "EACCES"
          ? `${program} cannot be run where the plugin runs (${cause.code}), and is needed to reach running containers; name it by SrunPath.`
          : `${program} could not be started: ${cause.message}.`;
      reject(new PluginError("unavailable", why, { cause }));
    });
  });
  // One that reads no more input is told by its end.
  child.stdin?.on("error", () => child.stdin?.destroy());
  return child;
}

/**
 * Runs a program with streams of its own. The signal ends it before it has begun; closing the streams ends it then: by
 * the loss of its terminal, if it has one. Throws `PluginError` `unavailable` if it cannot be started.
 */
export async function execSession(
  words: readonly string[],
  { env, owner, stdin, tty, exitFile }: SessionOptions,
  signal: AbortSignal,
): Promise<ProcessStreams> {
  signal.throwIfAborted();
  const child = await startProgram(words, env, owner, stdin || tty);
  const { stdin: pipe, stdout, stderr } = child;
  const ended = endOf(child).then((end) => exactEnd(end, exitFile));
  let hangUp: NodeJS.Timeout | undefined;
  const terminate = (): void => {
    if (child.exitCode === null && child.signalCode === null) child.kill("SIGTERM");
  };
  const shown = tty ? merged(stdout, stderr) : stdout;
  const close = (): void => {
    pipe?.destroy();
    if (tty) hangUp ??= setTimeout(terminate, HANG_UP_MS);
    else terminate();
    shown?.destroy();
    stdout?.destroy();
    stderr?.destroy();
  };
  signal.addEventListener("abort", close, { once: true });
  const settled = (): void => {
    clearTimeout(hangUp);
    signal.removeEventListener("abort", close);
  };
  void ended.then(settled);
  const input = pipe !== null && tty ? consoleInput(pipe, endFrame()) : pipe;
  return {
    ...(stdin && input && { stdin: input }),
    ...(shown && { stdout: shown }),
    ...(!tty && stderr && { stderr }),
    resize(size) {
      if (tty && pipe !== null && !pipe.destroyed) pipe.write(sizeFrame(size));
    },
    ended,
    close,
  };
}

/** A terminal has one output; what could not be given one is told there, too. */
function merged(...streams: (Readable | null)[]): PassThrough {
  const together = new PassThrough();
  let open = streams.length;
  for (const stream of streams) {
    const over = (): void => {
      open--;
      if (open === 0) together.end();
    };
    if (stream === null) {
      over();
      continue;
    }
    stream.once("close", over);
    stream.on("error", () => stream.destroy());
    stream.pipe(together, { end: false });
  }
  return together;
}

/** Settles when the program has ended and its outputs were read. */
function endOf(child: ChildProcess): Promise<ProcessEnd> {
  return new Promise((resolve) => {
    child.once("error", ({ message }) => resolve({ error: message }));
    child.once("close", (code, by) =>
      resolve({ exitCode: code ?? 128 + (by === null ? 0 : constants.signals[by]) }),
    );
  });
}

/** srun has ended well: the command has ended somehow. */
async function exactEnd(end: ProcessEnd, file: string): Promise<ProcessEnd> {
  if (!("exitCode" in end) || end.exitCode !== 0) return end;
  const giveUpAt = Date.now() + LAG_MS;
  for (;;) {
    const read = readPlainFile(file, "The exit code of a command", 16);
    const written = (await read.catch(() => undefined)) ?? "";
    if (/^\d{1,3}\n$/.test(written)) {
      await rm(file, { force: true }).catch(() => undefined);
      return { exitCode: Number(written) };
    }
    if (Date.now() >= giveUpAt) return { error: "The command's exit code is not known." };
    await delay(100);
  }
}
