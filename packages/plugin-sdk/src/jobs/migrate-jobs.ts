import { readdir, rm, rmdir } from "node:fs/promises";
import { join } from "node:path";
import type { Disk } from "./disk.ts";
import { TEMPORARY_SUFFIX } from "./durable-file.ts";
import type { JobReader } from "./job-reader.ts";
import type { RecordFiles, StoreDirectories } from "./record-files.ts";
import type { RecordLines } from "./record-text.ts";
import { lastLine } from "./record-text.ts";

const POD = "pod.json";
const JOB = "job.json";
const OLD_FILES = [POD, JOB, `${POD}${TEMPORARY_SUFFIX}`, `${JOB}${TEMPORARY_SUFFIX}`];

export interface MigrateJobsOptions {
  disk: Disk;
  directories: StoreDirectories;
  files: RecordFiles;
  reader: JobReader<unknown>;
}

/**
 * Turn each job of an earlier version, which had `pod.json` and `job.json` (lines, the last whole one counts) in its
 * directory, into a record. They are removed when the record is durable; until then, a crash has it all done again.
 */
export async function migrateJobs(options: MigrateJobsOptions): Promise<void> {
  const { directories, files } = options;
  const records = new Set(await files.uids());
  const migrated: string[] = [];
  for (const uid of await readdir(directories.jobs)) {
    const { directory } = files.paths(uid);
    if (!(await hasOldFiles(directory))) continue;
    // Where there is a record, it is as new or newer: only their removal was lost.
    if (records.has(uid) || (await migrateJob(uid, directory, options))) migrated.push(directory);
  }
  if (migrated.length === 0) return;
  await files.sync();
  for (const directory of migrated) {
    for (const name of OLD_FILES) await rm(join(directory, name), { force: true });
    // All there was of a job of a bare store; others hold more.
    await rmdir(directory).catch(ignoreFull);
  }
}

async function migrateJob(
  uid: string,
  directory: string,
  { disk, files, reader }: MigrateJobsOptions,
): Promise<boolean> {
  const job = join(directory, JOB);
  const read = await reader.read(uid, job, async () => {
    const pod = await textOf(disk, join(directory, POD));
    return { lines: { pod: pod.trim(), job: lastLine(await textOf(disk, job)) }, isTidy: false };
  });
  if (read === undefined) return false;
  await files.write(uid, oneLineEach(read.lines));
  return true;
}

async function hasOldFiles(directory: string): Promise<boolean> {
  try {
    const names = await readdir(directory);
    return names.some((name) => OLD_FILES.includes(name));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOTDIR") return false;
    throw error;
  }
}

/** Nothing of a file that is not there. */
async function textOf(disk: Disk, path: string): Promise<string> {
  try {
    return await disk.readText(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return "";
    throw error;
  }
}

/** Both are whole JSON, in which an end of line means nothing. */
function oneLineEach({ pod, job }: RecordLines): RecordLines {
  return { pod: pod.replaceAll("\n", " "), job: job.replaceAll("\n", " ") };
}

function ignoreFull(error: NodeJS.ErrnoException): void {
  if (error.code !== "ENOTEMPTY" && error.code !== "EEXIST") throw error;
}
