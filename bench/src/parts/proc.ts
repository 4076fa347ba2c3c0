import { readFile } from "node:fs/promises";

/** Ticks per second in /proc on every Linux that Node runs on (USER_HZ). */
const TICKS_PER_SECOND = 100;

/** What a process has used so far. */
export interface Usage {
  /** CPU milliseconds of all its threads. */
  own: number;
  /** CPU milliseconds of its children that have ended and been waited for. */
  children: number;
}

/** CPU time of a process from /proc; only Linux has it, so others throw. Steps of 10 ms. */
export async function cpuUsage(pid: number): Promise<Usage> {
  return readCpuUsage(await readFile(`/proc/${pid}/stat`, "utf8"));
}

/** Fields 14 to 17 of proc(5) `stat`. The name, in brackets, may hold anything. */
export function readCpuUsage(stat: string): Usage {
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const [user, system, childUser, childSystem] = fields.slice(11, 15).map(Number);
  const milliseconds = (ticks: number | undefined): number =>
    ((ticks ?? Number.NaN) * 1000) / TICKS_PER_SECOND;
  return {
    own: milliseconds(user) + milliseconds(system),
    children: milliseconds(childUser) + milliseconds(childSystem),
  };
}

/** Resident memory of a process in KiB: what the operating system says, garbage that was not collected yet included. */
export async function residentKib(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, "utf8");
  const found = /^VmRSS:\s+(\d+) kB$/m.exec(status);
  if (found === null) throw new Error(`/proc/${pid}/status says nothing of resident memory`);
  return Number(found[1]);
}
