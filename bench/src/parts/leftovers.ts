import { readdir, readFile, readlink } from "node:fs/promises";

/**
 * Every process that works in `directory` or below, by /proc: the runners and commands of the pods of a process plugin.
 * Only what this benchmark started works there, for it made the directory.
 */
export async function processesIn(directory: string): Promise<number[]> {
  const found: number[] = [];
  for (const entry of await readdir("/proc").catch(() => [])) {
    if (!/^\d+$/.test(entry) || Number(entry) === process.pid) continue;
    // It may have ended meanwhile, or belong to somebody else.
    const cwd = await readlink(`/proc/${entry}/cwd`).catch(() => "");
    if (cwd === directory || cwd.startsWith(`${directory}/`)) found.push(Number(entry));
  }
  return found;
}

/** SIGKILL to what is left of pods whose plugin is gone. */
export async function killProcessesIn(directory: string): Promise<void> {
  for (const pid of await processesIn(directory)) {
    try {
      process.kill(pid, "SIGKILL");
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
    }
  }
}

/** Memory of processes in KiB, where each page that several share is shared out among them (Pss). */
export async function proportionalKib(pids: readonly number[]): Promise<number> {
  let sum = 0;
  for (const pid of pids) {
    const text = await readFile(`/proc/${pid}/smaps_rollup`, "utf8").catch(() => "");
    sum += Number(/^Pss:\s+(\d+) kB$/m.exec(text)?.[1] ?? 0);
  }
  return sum;
}
