import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { promisify } from "node:util";

const run = promisify(execFile);
const DEADLINE_MS = 5000;

/** Two sets of processors with nothing in common, as lists for taskset(1). */
export interface ProcessorShares {
  /** Of the Kubernetes control plane. */
  controlPlane: string;
  /** Of everything else, the benchmark included. */
  others: string;
}

/** `0-3,6` → 0, 1, 2, 3, 6: the form of `Cpus_allowed_list` in proc(5). */
export function parseProcessors(list: string): number[] {
  return list
    .trim()
    .split(",")
    .flatMap((range) => {
      const [first = Number.NaN, last = first] = range.split("-").map(Number);
      return Array.from({ length: last - first + 1 }, (_, index) => first + index);
    });
}

/** The first half for the control plane, the rest for the others; `undefined` for fewer than two. */
export function shareProcessors(processors: readonly number[]): ProcessorShares | undefined {
  if (processors.length < 2) return undefined;
  const half = Math.floor(processors.length / 2);
  return {
    controlPlane: processors.slice(0, half).join(","),
    others: processors.slice(half).join(","),
  };
}

/** Those that this process may use. Only Linux tells; others throw. */
export async function ownProcessors(): Promise<number[]> {
  const status = await readFile("/proc/self/status", "utf8");
  return parseProcessors(/^Cpus_allowed_list:\s+(\S+)$/m.exec(status)?.[1] ?? "");
}

/** Keeps this process, all its threads included, on the processors of a list until it is disposed. */
export async function keepOn(list: string): Promise<AsyncDisposable> {
  const before = await ownProcessors();
  const pid = String(process.pid);
  const set = (wanted: string) =>
    run("taskset", ["--all-tasks", "--cpu-list", "--pid", wanted, pid], { timeout: DEADLINE_MS });
  await set(list);
  return {
    async [Symbol.asyncDispose]() {
      await set(before.join(","));
    },
  };
}
