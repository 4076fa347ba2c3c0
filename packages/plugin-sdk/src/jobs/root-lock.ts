import { randomUUID } from "node:crypto";
import { readFileSync, readlinkSync } from "node:fs";
import { link, lstat, readFile, rename, rm, utimes, writeFile } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";
import type { Logger } from "pino";
import { PluginError } from "../plugin-error.ts";

/** Who holds a root, as written into its `lock` file. */
export interface LockHolder {
  pid: number;
  hostname: string;
  /** Of the process, in ticks since boot (`/proc/<pid>/stat`); tells a reused pid. Absent where there is no /proc. */
  startTime?: string;
  /** Tells a reboot. */
  bootId?: string;
  /** Pid namespace; a pid says nothing in another one. */
  pidNamespace?: string;
}

/** What can be found out about processes of this host. */
export interface ProcessTable {
  self(): LockHolder;
  isAlive(pid: number): boolean;
  startTime(pid: number): string | undefined;
}

const HEARTBEAT_MS = 5_000;
/** A holder that cannot be looked up (other host, other container) counts as gone after this silence. */
export const SILENT_AFTER_MS = 30_000;

/** Whether the holder of a lock may still be at work. `silentMs`: since its last sign of life. */
export function mayBeAlive(
  holder: LockHolder | undefined,
  processes: ProcessTable,
  silentMs: number,
): boolean {
  const self = processes.self();
  const comparable =
    holder !== undefined &&
    holder.hostname === self.hostname &&
    holder.pidNamespace === self.pidNamespace;
  if (!comparable) return silentMs < SILENT_AFTER_MS;
  if (holder.bootId !== self.bootId) return false;
  if (!processes.isAlive(holder.pid)) return false;
  return holder.startTime === processes.startTime(holder.pid);
}

export interface RootLock {
  release(): Promise<void>;
}

/**
 * Take `root` for this process. The lock of a dead process is taken over. Throws `PluginError` `conflict` naming the
 * holder otherwise.
 */
export async function lockRoot(
  root: string,
  logger: Logger,
  processes: ProcessTable = localProcesses,
  now: () => number = Date.now,
): Promise<RootLock> {
  const path = join(root, "lock");
  const mine = `${path}.${randomUUID()}`;
  await writeFile(mine, `${JSON.stringify(processes.self())}\n`, { mode: 0o600 });
  try {
    await takeOver(path, mine, root, logger, processes, now);
  } finally {
    await rm(mine, { force: true });
  }
  const { ino } = await lstat(path);
  const isOurs = async () => (await lstat(path).catch(() => undefined))?.ino === ino;
  const heartbeat = setInterval(() => {
    void (async () => {
      if (await isOurs()) await utimes(path, new Date(), new Date());
      else logger.error({ root }, "the lock of the job directory is gone: do two plugins use it?");
    })().catch((error: unknown) => {
      logger.warn({ err: error, root }, "cannot renew the lock of the job directory");
    });
  }, HEARTBEAT_MS);
  heartbeat.unref();
  return {
    async release() {
      clearInterval(heartbeat);
      if (await isOurs()) await rm(path, { force: true });
    },
  };
}

async function takeOver(
  path: string,
  mine: string,
  root: string,
  logger: Logger,
  processes: ProcessTable,
  now: () => number,
): Promise<void> {
  for (let attempt = 0; attempt < 5; attempt += 1) {
    try {
      await link(mine, path);
      return;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    }
    const judged = await lstat(path).catch(() => undefined);
    if (judged === undefined) continue;
    const holder = parseHolder(await readFile(path, "utf8").catch(() => ""));
    if (mayBeAlive(holder, processes, now() - judged.mtimeMs)) throw held(root, path, holder);
    logger.info({ root, holder }, "taking over the job directory of a process that has ended");
    // Moved aside, then looked at: between judging and moving another process may have taken it over.
    const aside = `${path}.stale.${randomUUID()}`;
    await rename(path, aside).catch(() => undefined);
    const moved = await lstat(aside).catch(() => undefined);
    if (moved !== undefined && moved.ino !== judged.ino) {
      await link(aside, path).catch(() => undefined);
    }
    await rm(aside, { force: true });
  }
  throw held(root, path, undefined);
}

function held(root: string, path: string, holder: LockHolder | undefined): PluginError {
  const who =
    holder === undefined ? "another process" : `process ${holder.pid} on ${holder.hostname}`;
  return new PluginError(
    "conflict",
    `The job directory ${root} is in use by ${who}. Stop it, or give this plugin a directory of its own. ` +
      `If that process is gone, wait ${SILENT_AFTER_MS / 1000} s or delete ${path}.`,
  );
}

function parseHolder(text: string): LockHolder | undefined {
  try {
    const value = JSON.parse(text) as Partial<LockHolder> | null;
    return Number.isInteger(value?.pid) && typeof value?.hostname === "string"
      ? (value as LockHolder)
      : undefined;
  } catch {
    return undefined; // Not a lock of ours; its age decides.
  }
}

const localProcesses: ProcessTable = {
  self: () => {
    const startTime = localProcesses.startTime(process.pid);
    const bootId = attempt(() => readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim());
    const pidNamespace = attempt(() => readlinkSync("/proc/self/ns/pid"));
    return {
      pid: process.pid,
      hostname: hostname(),
      ...(startTime !== undefined && { startTime }),
      ...(bootId !== undefined && { bootId }),
      ...(pidNamespace !== undefined && { pidNamespace }),
    };
  },
  isAlive: (pid) => {
    try {
      process.kill(pid, 0);
      return true;
    } catch (error) {
      return (error as NodeJS.ErrnoException).code === "EPERM";
    }
  },
  // Field 22; the name in field 2 may hold blanks and brackets, so counting starts behind its last bracket.
  startTime: (pid) =>
    attempt(() => {
      const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
      return stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19];
    }),
};

/** `undefined` where the system has no such file (no /proc). */
function attempt<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}
