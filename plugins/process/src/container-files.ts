import { readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { ConsoleMode } from "@interlink/plugin-sdk";

/** The files of one attempt of a container, in its directory; see `runner/run-container.sh`. */
export interface ContainerFiles {
  readonly directory: string;
  /** What was asked ({@link ContainerInfo}); holds the environment, so mode 0600. */
  readonly info: string;
  readonly argv: string;
  readonly mounts: string;
  readonly claim: string;
  readonly started: string;
  readonly exit: string;
  /** Its volumes are in place. */
  readonly entered: string;
  /** Pipe of `console.pl`'s frames, if it has one. */
  readonly stdin: string;
  /** Default working directory. */
  readonly work: string;
  /** Mount point of the new root when there are volumes. */
  readonly root: string;
}

export function containerFiles(directory: string): ContainerFiles {
  return {
    directory,
    info: join(directory, "container.json"),
    argv: join(directory, "argv"),
    mounts: join(directory, "mounts"),
    claim: join(directory, "claim"),
    started: join(directory, "started"),
    exit: join(directory, "exit"),
    entered: join(directory, "entered"),
    stdin: join(directory, "stdin"),
    work: join(directory, "work"),
    root: join(directory, "root"),
  };
}

/** What is needed to start a container, and to find it again. */
export interface ContainerInfo {
  readonly schemaVersion: 1;
  readonly uid: string;
  readonly container: string;
  readonly attempt: number;
  /** Of the machine when it was made; processes do not outlive a reboot. */
  readonly bootId: string;
  readonly env: Record<string, string>;
  readonly cwd: string;
  /** First word of the command. */
  readonly command: string;
  readonly logFile: string;
  readonly stopSignal: string;
  /** It runs in a mount namespace of its own. */
  readonly hasMounts: boolean;
  /** `NAME=VALUE` words for env(1) that are part of its environment as well. */
  readonly envWords?: readonly string[];
  /** `console.pl` is in front of its command: it has a terminal, or an input. */
  readonly console?: ConsoleMode;
  /** Its input ends with that of who attaches first. */
  readonly stdinOnce?: boolean;
}

export async function writeInfo(files: ContainerFiles, info: ContainerInfo): Promise<void> {
  const temporary = `${files.info}.tmp`;
  await writeFile(temporary, JSON.stringify(info), { mode: 0o600 });
  await rename(temporary, files.info);
}

/** `undefined` if it was never completely made. */
export async function readInfo(files: ContainerFiles): Promise<ContainerInfo | undefined> {
  const text = await readIfThere(files.info);
  if (text === undefined) return undefined;
  const info = JSON.parse(text) as ContainerInfo;
  return info.schemaVersion === 1 ? info : undefined;
}

/** A process, safe against a reused pid. */
export interface ProcessIdentity {
  pid: number;
  /** In ticks since boot, as in `/proc/<pid>/stat`. */
  startTime: string;
}

/** Who runs the container; `"cancelled"`: nobody ever will. `undefined` if it was not claimed (completely). */
export async function readClaim(
  files: ContainerFiles,
): Promise<ProcessIdentity | "cancelled" | undefined> {
  const text = await readIfThere(files.claim);
  if (text?.startsWith("cancelled")) return "cancelled";
  return identity(text);
}

/** Make the container unable to start. `false`: a runner was faster. */
export async function cancelClaim(files: ContainerFiles): Promise<boolean> {
  try {
    await writeFile(files.claim, "cancelled\n", { flag: "wx", mode: 0o600 });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw error;
  }
}

/** The container's command and when it began (milliseconds since the epoch). */
export async function readStarted(
  files: ContainerFiles,
): Promise<(ProcessIdentity & { startedAt: number | undefined }) | undefined> {
  const text = await readIfThere(files.started);
  const process = identity(text);
  if (process === undefined) return undefined;
  return { ...process, startedAt: milliseconds(text?.trim().split(" ")[2]) };
}

export interface ExitRecord {
  exitCode: number;
  /** Milliseconds since the epoch. */
  startedAt: number | undefined;
  finishedAt: number | undefined;
}

export async function readExit(files: ContainerFiles): Promise<ExitRecord | undefined> {
  const text = await readIfThere(files.exit);
  // Complete once it ends with a newline.
  const found = /^(\d+) (\S+) (\S+)\n$/.exec(text ?? "");
  if (found === null) return undefined;
  const [, exitCode, startedAt, finishedAt] = found;
  return {
    exitCode: Number(exitCode),
    startedAt: milliseconds(startedAt),
    finishedAt: milliseconds(finishedAt),
  };
}

function identity(text: string | undefined): ProcessIdentity | undefined {
  const found = /^(\d+) (\d+)[ \n]/.exec(text ?? "");
  const [, pid, startTime] = found ?? [];
  if (pid === undefined || startTime === undefined || !text?.endsWith("\n")) return undefined;
  return { pid: Number(pid), startTime };
}

/** Seconds with a fraction; some locales write a comma. */
function milliseconds(seconds: string | undefined): number | undefined {
  const value = Number(seconds?.replace(",", "."));
  return Number.isFinite(value) && value > 0 ? Math.trunc(value * 1000) : undefined;
}

async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT" || code === "ENOTDIR") return undefined;
    throw error;
  }
}
