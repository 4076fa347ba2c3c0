import { chmod, rm } from "node:fs/promises";
import { join } from "node:path";
import type { RetrievedPodData } from "@interlink/protocol";
import type { Logger } from "pino";
import { PluginError } from "../plugin-error.ts";
import { DirectoryJobStore } from "./directory-job-store.ts";
import type { Disk } from "./disk.ts";
import { isSystemError, localDisk } from "./disk.ts";
import { makePrivateDirectory } from "./durable-file.ts";
import type { JobStore } from "./job-store.ts";
import { loadJobs } from "./load-jobs.ts";
import { RecordFiles } from "./record-files.ts";
import { lockRoot, type RootLock } from "./root-lock.ts";
import { Tombstones } from "./tombstones.ts";

/** Where the store lies, and what the plugin keeps in its records. */
export interface JobStoreOptions<Record> {
  /** Directory of this plugin, made with mode 0700 if it does not exist. Owned by one process at a time. */
  root: string;
  logger: Logger;
  /** The record a job starts with; also used to rebuild a damaged one. */
  newRecord: (data: RetrievedPodData) => Record;
  /** Checks a record read from disk; throws if it cannot be one (then the job is rebuilt). Default: taken as it is. */
  readRecord?: (value: unknown) => Record;
  /** Milliseconds since the epoch. */
  now?: () => number;
  /** Default: this machine's. */
  disk?: Disk;
  /** The plugin keeps volumes, logs and containers elsewhere: a job has no directory for them. */
  bare?: boolean;
}

/**
 * Open the plugin's memory under `root`, reading what an earlier process left. Throws `PluginError` `conflict` when
 * another living process has it open, and `unavailable` when the system cannot read or write there now. A damaged file
 * never fails the start: see `JobStore.quarantined`.
 *
 * Layout: `lock`; a record for each job, `records/<uid>.json`, whose first line is what was asked and whose last whole line
 * is what is remembered; `jobs/<uid>/{volumes,logs,containers}` unless the store is bare; `tombstones/<uid>.json`;
 * `quarantine/`; and `tmp/`, where all of this is put together and taken apart, so that what has its name is whole. There is a
 * job if there is a record of it and no tombstone. What an earlier version left is brought into this layout.
 */
export async function openJobStore<Record>(
  options: JobStoreOptions<Record>,
): Promise<JobStore<Record>> {
  const { root, logger, newRecord, now = Date.now, disk = localDisk, bare = false } = options;
  const directories = {
    records: join(root, "records"),
    jobs: join(root, "jobs"),
    tombstones: join(root, "tombstones"),
    quarantine: join(root, "quarantine"),
    tmp: join(root, "tmp"),
  };
  const lock = await lockedRoot(root, logger);
  try {
    await rm(directories.tmp, { recursive: true, force: true });
    for (const directory of Object.values(directories)) await makePrivateDirectory(directory);
    // A job's own names are made durable with the job; those above it, here.
    await disk.syncDirectory(root);
    const tombstones = new Tombstones(directories.tombstones, now);
    await tombstones.load(disk, logger);
    const files = new RecordFiles({ disk, directories, bare, logger });
    const { jobs, quarantined } = await loadJobs<Record>({
      disk,
      directories,
      files,
      bare,
      logger,
      newRecord,
      readRecord: options.readRecord ?? ((value) => value as Record),
      isBuried: (uid) => tombstones.get(uid) !== undefined,
      now,
    });
    await tombstones.sweep();
    return new DirectoryJobStore<Record>({
      root,
      files,
      logger,
      newRecord,
      now,
      lock,
      tombstones,
      jobs,
      quarantined,
    });
  } catch (error) {
    await lock.release();
    throw asUnavailable(root, error);
  }
}

async function lockedRoot(root: string, logger: Logger): Promise<RootLock> {
  try {
    await makePrivateDirectory(root);
    await chmod(root, 0o700);
    return await lockRoot(root, logger);
  } catch (error) {
    throw asUnavailable(root, error);
  }
}

function asUnavailable(root: string, error: unknown): Error {
  if (!isSystemError(error)) return error instanceof Error ? error : new Error(String(error));
  return new PluginError(
    "unavailable",
    `The records in ${root} cannot be read or written now: ${error.message}. None is set aside for it; start again when the cause is gone (limit of open files, permissions, disk).`,
    { cause: error },
  );
}
