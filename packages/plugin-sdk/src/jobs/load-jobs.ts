import { readdir, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import type { RetrievedPodData } from "@interlink/protocol";
import type { Logger } from "pino";
import { ignoreMissing } from "../ignore-missing.ts";
import { PluginError } from "../plugin-error.ts";
import type { Disk } from "./disk.ts";
import { isUnreadable } from "./disk.ts";
import { TEMPORARY_SUFFIX, writeDurably } from "./durable-file.ts";
import { JOB_FILE, MOST_BEHIND, POD_FILE } from "./job-paths.ts";
import type { Job, Quarantined } from "./job-store.ts";
import { NewerJobError, newJob, readJob } from "./job-transition.ts";

export interface LoadJobsOptions<Record> {
  disk: Disk;
  directory: string;
  quarantine: string;
  logger: Logger;
  newRecord: (data: RetrievedPodData) => Record;
  readRecord: (value: unknown) => Record;
  now: () => number;
}

export interface LoadedJobs<Record> {
  jobs: Map<string, Job<Record>>;
  quarantined: Quarantined[];
}

/**
 * Read every job directory. A damaged `job.json` is set aside and rebuilt from `pod.json` as an `intent`, so that the
 * resource is asked by UID; where that one is damaged, the directory goes into quarantine and the UID stays refused.
 * Throws for files of a newer version of this program, and the system's error where it cannot read or write now: what may
 * be whole is not set aside.
 */
export async function loadJobs<Record>(
  options: LoadJobsOptions<Record>,
): Promise<LoadedJobs<Record>> {
  const jobs = new Map<string, Job<Record>>();
  const quarantined = await earlierQuarantine(options.quarantine);
  for (const uid of await readdir(options.directory)) {
    const directory = join(options.directory, uid);
    for (const file of [JOB_FILE, POD_FILE]) {
      await rm(join(directory, `${file}${TEMPORARY_SUFFIX}`), { force: true });
    }
    try {
      const text = await options.disk.readText(join(directory, JOB_FILE));
      const line = lastLine(text);
      const job = readJob(line, uid, options.readRecord);
      await readPodFile(options.disk, directory, uid);
      // The next line must not come behind half of one, and there is to be an end of lines.
      if (!text.endsWith("\n") || text.length - line.length > MOST_BEHIND) {
        await writeDurably(join(directory, JOB_FILE), `${line}\n`);
      }
      jobs.set(uid, job);
    } catch (error) {
      if (error instanceof NewerJobError) throw newer(directory, error);
      if (isUnreadable(error)) throw error;
      const outcome = await rebuild(uid, directory, error, options);
      if ("job" in outcome) jobs.set(uid, outcome.job);
      else quarantined.push(outcome.quarantined);
    }
  }
  return { jobs, quarantined };
}

/** The last whole line: what stands behind it was being written. Without a whole one, all of it. */
function lastLine(text: string): string {
  const end = text.lastIndexOf("\n");
  return end < 0 ? text : text.slice(text.slice(0, end).lastIndexOf("\n") + 1, end);
}

/** `pod.json` as an object with this UID. Throws an `Error` that says what is wrong. */
export async function readPodFile(
  disk: Disk,
  directory: string,
  uid: string,
): Promise<RetrievedPodData> {
  const text = await disk.readText(join(directory, POD_FILE));
  const data = JSON.parse(text) as RetrievedPodData | null;
  if (data?.pod?.metadata?.uid !== uid) throw new Error("it belongs to another UID");
  return data;
}

async function rebuild<Record>(
  uid: string,
  directory: string,
  damage: unknown,
  options: LoadJobsOptions<Record>,
): Promise<{ job: Job<Record> } | { quarantined: Quarantined }> {
  const { disk, logger, quarantine } = options;
  const at = new Date(options.now()).toISOString();
  const aside = join(quarantine, `${uid}@${at.replaceAll(":", "")}`);
  let data: RetrievedPodData;
  try {
    data = await readPodFile(disk, directory, uid);
  } catch (error) {
    if (isUnreadable(error)) throw error;
    await rename(directory, aside);
    await disk.syncDirectory(quarantine);
    logger.error(
      { err: damage, podFile: error, uid, path: aside },
      "a job directory is damaged and cannot be rebuilt; look at it, end its job by hand if it runs, then delete it",
    );
    return { quarantined: { uid, path: aside, reason: String(damage) } };
  }
  const job = { ...newJob(data, options.newRecord(data), at), rebuilt: true };
  await rename(join(directory, JOB_FILE), `${aside}.job.json`).catch(ignoreMissing);
  await writeDurably(join(directory, JOB_FILE), `${JSON.stringify(job)}\n`);
  logger.error(
    { err: damage, uid, path: `${aside}.job.json` },
    "a job record was damaged; it is rebuilt from the pod, its history is lost",
  );
  return { job };
}

/** Directories that still lie in quarantine from earlier starts: their UIDs stay refused until a person removes them. */
async function earlierQuarantine(quarantine: string): Promise<Quarantined[]> {
  const entries = await readdir(quarantine, { withFileTypes: true });
  return entries
    .filter((entry) => entry.isDirectory() && entry.name.includes("@"))
    .map((entry) => ({
      uid: entry.name.slice(0, entry.name.lastIndexOf("@")),
      path: join(quarantine, entry.name),
      reason: "it was damaged at an earlier start",
    }));
}

function newer(directory: string, cause: Error): PluginError {
  return new PluginError(
    "conflict",
    `The job in ${directory} was written by a newer version of this program. Start that version, or empty the directory when no job of it runs.`,
    { cause },
  );
}
