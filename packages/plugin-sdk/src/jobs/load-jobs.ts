import { readdir, rmdir } from "node:fs/promises";
import type { RetrievedPodData } from "@interlink/protocol";
import type { Logger } from "pino";
import { ignoreMissing } from "../ignore-missing.ts";
import type { Disk } from "./disk.ts";
import { JobReader } from "./job-reader.ts";
import type { Job, Quarantined } from "./job-store.ts";
import { migrateJobs } from "./migrate-jobs.ts";
import { Quarantine } from "./quarantine.ts";
import type { RecordFiles, StoreDirectories } from "./record-files.ts";
import { recordLines } from "./record-text.ts";

export interface LoadJobsOptions<Record> {
  disk: Disk;
  directories: StoreDirectories;
  files: RecordFiles;
  bare: boolean;
  logger: Logger;
  newRecord: (data: RetrievedPodData) => Record;
  readRecord: (value: unknown) => Record;
  /** Whether the pod was deleted. */
  isBuried: (uid: string) => boolean;
  now: () => number;
}

export interface LoadedJobs<Record> {
  jobs: Map<string, Job<Record>>;
  quarantined: readonly Quarantined[];
}

/**
 * Read every job, and make good what a crash has left half done: a removal whose tombstone is written, a create that was
 * never answered, a migration. A damaged job is rebuilt or set aside, see {@link JobReader}; its errors are this one's.
 */
export async function loadJobs<Record>(
  options: LoadJobsOptions<Record>,
): Promise<LoadedJobs<Record>> {
  const { disk, directories, files, logger, now } = options;
  const quarantine = new Quarantine({ directory: directories.quarantine, disk, logger, now });
  await quarantine.load();
  const reader = new JobReader<Record>({ ...options, quarantine });
  for (const uid of new Set([...(await files.uids()), ...(await readdir(directories.jobs))])) {
    if (options.isBuried(uid)) await files.remove(uid);
  }
  await migrateJobs({ disk, directories, files, reader });
  const jobs = await readJobs(files, reader);
  await tidyDirectories(new Set(jobs.keys()), quarantine, options);
  return { jobs, quarantined: quarantine.all };
}

async function readJobs<Record>(
  files: RecordFiles,
  reader: JobReader<Record>,
): Promise<Map<string, Job<Record>>> {
  const jobs = new Map<string, Job<Record>>();
  let isWritten = false;
  for (const uid of await files.uids()) {
    const read = await reader.read(uid, files.record(uid), async () =>
      recordLines(await files.read(uid)),
    );
    if (read === undefined) continue;
    // The next line must not come behind half of one, and there is to be an end of lines.
    if (!read.isTidy) await files.write(uid, read.lines);
    isWritten ||= !read.isTidy;
    jobs.set(uid, read.job);
  }
  if (isWritten) await files.sync();
  return jobs;
}

/** A directory for each job, and none without. */
async function tidyDirectories(
  jobs: ReadonlySet<string>,
  quarantine: Quarantine,
  { directories, files, bare }: Pick<LoadJobsOptions<unknown>, "directories" | "files" | "bare">,
): Promise<void> {
  const present = new Set(await readdir(directories.jobs));
  for (const uid of present) {
    if (jobs.has(uid) || (await removeEmpty(files, uid))) continue;
    const { directory } = files.paths(uid);
    await quarantine.setAside(
      { uid, record: files.record(uid), directory },
      new Error("there is no record of what these files are of"),
    );
  }
  for (const uid of bare ? [] : jobs) if (!present.has(uid)) await files.makeDirectory(uid);
}

/** Removes the directory of a job that has no record, unless it was used: a create that was not answered leaves it unused. */
async function removeEmpty(files: RecordFiles, uid: string): Promise<boolean> {
  const { directory, volumes, logs, containers } = files.paths(uid);
  try {
    for (const path of [volumes, logs, containers]) await rmdir(path).catch(ignoreMissing);
    await rmdir(directory);
    return true;
  } catch (error) {
    const { code = "" } = error as NodeJS.ErrnoException;
    if (["ENOTEMPTY", "EEXIST", "ENOTDIR"].includes(code)) return false;
    throw error;
  }
}
