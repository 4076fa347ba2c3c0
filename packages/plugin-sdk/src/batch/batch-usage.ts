import { randomUUID } from "node:crypto";
import { rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { readPlainFile } from "./plain-file.ts";

/** What one attempt of a container used at a moment, as its job's script has measured it on the compute node. */
export interface BatchUsage {
  container: string;
  attempt: number;
  /** Milliseconds since the epoch, by the compute node's clock. */
  at: number;
  /** CPU time since the start; only grows. */
  coreNanoSeconds: number;
  /** Resident memory of all its processes. */
  rssBytes: number;
}

/** USER_HZ, the unit of times in /proc, is 100 on every Linux that Node runs on. */
const NANOSECONDS_PER_TICK = 1e9 / 100;
const LINE = /^(\S+) (\d{1,9}) (\d{1,11}(?:\.\d{1,9})?) (\d{1,15}) (\d{1,12})$/gm;

/** Asks the job whose directory this is to measure once; it does so within ten seconds. */
export async function requestBatchUsage(directory: string): Promise<void> {
  // By a new name: the directory is the job's user's, who may have put a link at the old one.
  const fresh = join(directory, `usage-wanted-${randomUUID()}`);
  await writeFile(fresh, "", { flag: "wx", mode: 0o600 });
  await rename(fresh, join(directory, "usage-wanted"));
}

/** What the job has measured last. Throws as `readBatchRecords` does. */
export async function readBatchUsage(directory: string): Promise<BatchUsage[]> {
  const text = await readPlainFile(join(directory, "usage"), "The job's measurements", 1024 * 1024);
  return [...(text ?? "").matchAll(LINE)].map(
    ([, container = "", attempt, seconds, ticks, kilobytes]) => ({
      container,
      attempt: Number(attempt),
      at: Math.trunc(Number(seconds) * 1000),
      coreNanoSeconds: Number(ticks) * NANOSECONDS_PER_TICK,
      rssBytes: Number(kilobytes) * 1024,
    }),
  );
}
