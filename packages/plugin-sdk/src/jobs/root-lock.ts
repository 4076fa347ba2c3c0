import { createHash, randomUUID } from "node:crypto";
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
  const text = JSON.stringify({ ...processes.self(), id: randomUUID() });
  await writeFile(mine, `${text}\n`, { mode: 0o600 });
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
    if (await isLinked(mine, path)) return;
    const dead = await look(path);
    if (dead === undefined) continue;
    if (mayBeAlive(dead.holder, processes, now() - dead.mtimeMs)) {
      throw held(root, path, dead.holder);
    }
    logger.info(
      { root, holder: dead.holder },
      "taking over the job directory of a process that has ended",
    );
    const claims = await claim(dead.key);
    try {
      // Whoever had the claim before may have taken over and be gone from here.
      if (claims.length === 0 || (await look(path))?.key !== dead.key) continue;
      await rename(mine, path);
      return;
    } finally {
      for (const file of claims) await rm(file, { force: true });
    }
  }
  throw held(root, path, undefined);

  /**
   * The right to replace the lock with this key, which one process has at a time: a link of its own. Where its holder has
   * died before it was done, the right to that one's claim is it too. The files to remove; none when it has to be tried anew.
   */
  async function claim(key: string): Promise<string[]> {
    const file = `${path}.after.${key}`;
    if (await isLinked(mine, file)) return [file];
    const other = await look(file);
    if (other === undefined) return [];
    if (mayBeAlive(other.holder, processes, now() - other.mtimeMs)) {
      throw held(root, path, other.holder);
    }
    const claims = await claim(other.key);
    return claims.length === 0 ? [] : [...claims, file];
  }
}

/** Whether `to` is now another name of the file; not, when there was a file of that name. */
async function isLinked(file: string, to: string): Promise<boolean> {
  try {
    await link(file, to);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    return false;
  }
}

/** A lock as it is now; `undefined`: there is none. Its key is another one's never, nor its own after a sign of life. */
async function look(
  path: string,
): Promise<{ holder: LockHolder | undefined; mtimeMs: number; key: string } | undefined> {
  const found = await lstat(path).catch(() => undefined);
  if (found === undefined) return undefined;
  const { ino, mtimeMs } = found;
  const text = await readFile(path, "utf8").catch(() => "");
  const key = createHash("sha256").update(`${ino} ${mtimeMs} ${text}`).digest("hex");
  return { holder: parseHolder(text), mtimeMs, key };
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
