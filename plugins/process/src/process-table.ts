import { readdir, readFile } from "node:fs/promises";
import type { ProcessIdentity } from "./container-files.ts";

/** One line of the kernel's table. */
export interface ProcessEntry extends ProcessIdentity {
  session: number;
  /** Ended, waiting for its parent to notice. */
  isZombie: boolean;
}

/** `undefined` when there is no such process. */
export async function readProcess(pid: number): Promise<ProcessEntry | undefined> {
  try {
    return parseStat(pid, await readFile(`/proc/${pid}/stat`, "latin1"));
  } catch (error) {
    if (isGone(error)) return undefined;
    throw error;
  }
}

/** Whether exactly this process lives; a zombie does not. */
export async function isAlive({ pid, startTime }: ProcessIdentity): Promise<boolean> {
  const found = await readProcess(pid);
  return found !== undefined && found.startTime === startTime && !found.isZombie;
}

/** Fields as in proc(5); the name in field 2 may hold blanks and brackets. */
export function parseStat(pid: number, stat: string): ProcessEntry | undefined {
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const startTime = fields[19];
  if (startTime === undefined) return undefined;
  return {
    pid,
    startTime,
    session: Number(fields[3]),
    isZombie: fields[0] === "Z" || fields[0] === "X",
  };
}

export interface Snapshot {
  processes: ProcessEntry[];
  /** Values of the marker variable, by pid; only of processes whose environment may be read. */
  markers: Map<number, string>;
}

/**
 * Looks at all processes. Many ask at the same time (a thousand pods are deleted): all who ask while a look is being
 * taken share the next one, so the cost does not grow with their number.
 */
export class ProcessTable {
  readonly #marker: string;
  #running: Promise<Snapshot> | undefined;
  #next: Promise<Snapshot> | undefined;

  /** `marker`: name of the variable that containers' processes carry. */
  constructor(marker: string) {
    this.#marker = marker;
  }

  /** Begun after this call. */
  snapshot(): Promise<Snapshot> {
    if (this.#running === undefined) return this.#run();
    this.#next ??= this.#running.then(
      () => this.#run(),
      () => this.#run(),
    );
    return this.#next;
  }

  #run(): Promise<Snapshot> {
    this.#next = undefined;
    const running = this.#look().finally(() => {
      if (this.#running === running) this.#running = undefined;
    });
    this.#running = running;
    return running;
  }

  async #look(): Promise<Snapshot> {
    const processes: ProcessEntry[] = [];
    const markers = new Map<number, string>();
    const pids = (await readdir("/proc")).filter((name) => /^\d+$/.test(name)).map(Number);
    const prefix = `${this.#marker}=`;
    await inBatches(pids, 64, async (pid) => {
      const found = await readProcess(pid);
      if (found === undefined || found.isZombie) return;
      processes.push(found);
      const value = (await readEnvironment(pid))?.find((entry) => entry.startsWith(prefix));
      if (value !== undefined) markers.set(pid, value.slice(prefix.length));
    });
    return { processes, markers };
  }
}

/** `undefined` if it has gone or belongs to somebody else. */
async function readEnvironment(pid: number): Promise<string[] | undefined> {
  try {
    return (await readFile(`/proc/${pid}/environ`, "utf8")).split("\0");
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (isGone(error) || code === "EACCES" || code === "EPERM") return undefined;
    throw error;
  }
}

async function inBatches<T>(
  items: readonly T[],
  size: number,
  act: (item: T) => Promise<void>,
): Promise<void> {
  for (let start = 0; start < items.length; start += size) {
    await Promise.all(items.slice(start, start + size).map(act));
  }
}

function isGone(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException;
  return code === "ENOENT" || code === "ESRCH";
}

/** Send a signal to a process. `false`: there is none. */
export function sendSignal(id: number, signal: NodeJS.Signals | number): boolean {
  try {
    process.kill(id, signal);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ESRCH") return false;
    throw error;
  }
}
