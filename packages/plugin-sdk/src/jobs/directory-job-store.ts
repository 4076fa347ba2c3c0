import { rename, rm } from "node:fs/promises";
import { join } from "node:path";
import type { RemotePodStatus, RetrievedPodData } from "@interlink/protocol";
import type { Logger } from "pino";
import { ignoreMissing } from "../ignore-missing.ts";
import { PluginError } from "../plugin-error.ts";
import type { Disk } from "./disk.ts";
import { isSystemError, isUnreadable } from "./disk.ts";
import { durableSteps } from "./durable-file.ts";
import type { FileStep } from "./file-step.ts";
import type { JobPaths } from "./job-paths.ts";
import { JOB_FILE, jobPaths, MOST_BEHIND, POD_FILE, safeSegment } from "./job-paths.ts";
import type { Job, JobChange, JobStore, Quarantined, Tombstone } from "./job-store.ts";
import { changedJob, newJob } from "./job-transition.ts";
import { KeyedQueue } from "./keyed-queue.ts";
import { readPodFile } from "./load-jobs.ts";
import type { RootLock } from "./root-lock.ts";
import type { Tombstones } from "./tombstones.ts";

const SWEEP_EVERY_MS = 60_000;

/** What `openJobStore` has read and locked. */
export interface JobStoreParts<Record> {
  root: string;
  disk: Disk;
  bare: boolean;
  directories: { jobs: string; tmp: string };
  logger: Logger;
  newRecord: (data: RetrievedPodData) => Record;
  now: () => number;
  lock: RootLock;
  tombstones: Tombstones;
  jobs: Map<string, Job<Record>>;
  quarantined: Quarantined[];
}

/** The store over its directories; see `openJobStore` for the layout. */
export class DirectoryJobStore<Record> implements JobStore<Record> {
  readonly #parts: JobStoreParts<Record>;
  readonly #queue = new KeyedQueue();
  readonly #sweeper: NodeJS.Timeout;
  /** Of each job, how much has been put behind its file's first line, if something has. */
  readonly #behind = new Map<string, number>();
  #made = 0;
  #closed = false;

  constructor(parts: JobStoreParts<Record>) {
    this.#parts = parts;
    this.#sweeper = setInterval(() => {
      parts.tombstones.sweep().catch((error: unknown) => {
        parts.logger.warn({ err: error }, "cannot remove old tombstones");
      });
    }, SWEEP_EVERY_MS);
    this.#sweeper.unref();
  }

  get root(): string {
    return this.#parts.root;
  }

  get quarantined(): readonly Quarantined[] {
    return this.#parts.quarantined;
  }

  async create(data: RetrievedPodData): Promise<{ job: Job<Record>; created: boolean }> {
    const uid = safeSegment("pod UID", data.pod.metadata?.uid);
    return this.#inLine(uid, async () => {
      const existing = this.#parts.jobs.get(uid);
      if (existing !== undefined) return { job: existing, created: false };
      this.#refuseIfKnown(uid);
      const job = newJob(data, this.#parts.newRecord(data), this.#at());
      await this.#writeNew(uid, data, job);
      this.#parts.jobs.set(uid, job);
      return { job, created: true };
    });
  }

  async update(
    uid: string,
    change: (job: Job<Record>) => JobChange<Record> | undefined,
  ): Promise<Job<Record>> {
    return this.#inLine(uid, async () => {
      const job = this.#known(uid);
      const changes = change(job);
      if (changes === undefined) return job;
      const next = changedJob(job, changes, this.#at());
      await this.#writeJob(uid, next);
      this.#parts.jobs.set(uid, next);
      return next;
    });
  }

  get(uid: string): Job<Record> | undefined {
    return this.#parts.jobs.get(uid);
  }

  list(): readonly Job<Record>[] {
    return [...this.#parts.jobs.values()];
  }

  async data(uid: string): Promise<RetrievedPodData> {
    this.#known(uid);
    const { directory } = this.paths(uid);
    try {
      return await readPodFile(this.#parts.disk, directory, uid);
    } catch (cause) {
      this.#known(uid); // Removed while it was being read.
      const code = isUnreadable(cause) ? "unavailable" : "internal";
      throw new PluginError(code, `The file ${join(directory, POD_FILE)} cannot be read.`, {
        cause,
      });
    }
  }

  async replaceData(uid: string, data: RetrievedPodData): Promise<void> {
    if (data.pod.metadata?.uid !== uid) {
      throw new PluginError("invalid", `The content of pod ${uid} names another UID.`);
    }
    await this.#inLine(uid, async () => {
      this.#known(uid);
      await this.#replace(uid, POD_FILE, data);
    });
  }

  paths(uid: string): JobPaths {
    return jobPaths(join(this.#parts.directories.jobs, safeSegment("pod UID", uid)));
  }

  async remove(uid: string, finalStatus?: RemotePodStatus): Promise<void> {
    await this.#inLine(uid, async () => {
      const job = this.#parts.jobs.get(uid);
      if (job === undefined) return;
      const { name, namespace } = job;
      await this.#parts.tombstones.put({
        uid,
        name,
        namespace,
        ...(finalStatus && { finalStatus }),
      });
      // Buried is gone: what fails from here on is made good at the next start.
      this.#parts.jobs.delete(uid);
      this.#behind.delete(uid);
      const away = this.#temporary(uid);
      // Not synced: if it is lost by a power cut, the tombstone has the next start do it again.
      await rename(this.paths(uid).directory, away);
      await rm(away, { recursive: true, force: true }).catch((error: unknown) => {
        this.#parts.logger.warn({ err: error, uid, path: away }, "cannot remove a job's files yet");
      });
    });
  }

  async bury(pod: { uid: string; name: string; namespace: string }): Promise<void> {
    const uid = safeSegment("pod UID", pod.uid);
    await this.#inLine(uid, async () => {
      if (this.#parts.jobs.has(uid)) return;
      await this.#parts.tombstones.put({ uid, name: pod.name, namespace: pod.namespace });
    });
  }

  tombstone(uid: string): Tombstone | undefined {
    return this.#parts.tombstones.get(uid);
  }

  finalStatus(uid: string): RemotePodStatus | undefined {
    return this.#parts.tombstones.finalStatus(uid);
  }

  finalStatuses(): RemotePodStatus[] {
    return this.#parts.tombstones.finalStatuses();
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    clearInterval(this.#sweeper);
    await this.#queue.idle();
    await this.#parts.lock.release();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /** A whole job directory appears under its name at once, or not at all. */
  async #writeNew(uid: string, data: RetrievedPodData, job: Job<Record>): Promise<void> {
    const { directories, disk, bare } = this.#parts;
    const building = this.#temporary(uid);
    const inPlace: FileStep = { make: "rename", path: building, to: this.paths(uid).directory };
    const { volumes, logs, containers } = jobPaths(building);
    const made = [building, ...(bare ? [] : [volumes, logs, containers])];
    try {
      await disk
        .make([
          ...made.map((path): FileStep => ({ make: "directory", path, mode: 0o700 })),
          syncedFile(join(building, POD_FILE), data),
          syncedFile(join(building, JOB_FILE), job),
          { make: "synced", path: building },
          inPlace,
        ])
        .catch(async (error: NodeJS.ErrnoException) => {
          if (!isInTheWay(error)) throw error;
          await this.#takeAway(uid);
          await disk.make([inPlace]);
        });
      await disk.syncDirectory(directories.jobs).catch(async (error: unknown) => {
        // Not answered, so not to be found at the next start. Where that fails too, the repeated create does it.
        await this.#takeAway(uid).catch((err: unknown) => {
          this.#parts.logger.warn({ err, uid }, "cannot remove the files of a failed create yet");
        });
        throw error;
      });
    } catch (error) {
      await rm(building, { recursive: true, force: true });
      throw error;
    }
  }

  /** As one more line of `job.json`, of which the last one counts: a new file each time costs a file system more. */
  async #writeJob(uid: string, job: Job<Record>): Promise<void> {
    const behind = this.#behind.get(uid) ?? 0;
    const line = textOf(job);
    // Until it is known to be whole: nothing may come behind half a line.
    this.#behind.set(uid, Number.POSITIVE_INFINITY);
    if (behind + line.length <= MOST_BEHIND) {
      const path = join(this.paths(uid).directory, JOB_FILE);
      await this.#parts.disk.make([{ make: "more", path, content: line }]);
      this.#behind.set(uid, behind + line.length);
    } else {
      await this.#replace(uid, JOB_FILE, job);
      this.#behind.delete(uid);
    }
  }

  async #replace(uid: string, name: string, value: unknown): Promise<void> {
    const file = join(this.paths(uid).directory, name);
    await this.#parts.disk.make(durableSteps(file, textOf(value)));
  }

  /** Remove the directory of a pod that has no job: a create left it that was never answered. */
  async #takeAway(uid: string): Promise<void> {
    const away = this.#temporary(uid);
    await rename(this.paths(uid).directory, away).catch(ignoreMissing);
    await rm(away, { recursive: true, force: true });
  }

  #refuseIfKnown(uid: string): void {
    const tombstone = this.#parts.tombstones.get(uid);
    if (tombstone !== undefined) {
      throw new PluginError(
        "conflict",
        `Pod ${tombstone.namespace}/${tombstone.name} (${uid}) was deleted here at ${tombstone.deletedAt} and is not started again.`,
      );
    }
    const damaged = this.#parts.quarantined.find((entry) => entry.uid === uid);
    if (damaged !== undefined) {
      throw new PluginError(
        "internal",
        `The record of pod ${uid} is damaged, so it may run already. Its plugin's operator must look at ${damaged.path} and delete it.`,
      );
    }
  }

  #known(uid: string): Job<Record> {
    const job = this.#parts.jobs.get(uid);
    if (job === undefined) throw new PluginError("not-found", `No pod with UID ${uid} runs here.`);
    return job;
  }

  async #inLine<T>(uid: string, task: () => Promise<T>): Promise<T> {
    if (this.#closed) throw new PluginError("unavailable", "The plugin is shutting down.");
    try {
      return await this.#queue.run(uid, task);
    } catch (error) {
      if (!isSystemError(error)) throw error;
      // Disk full, read-only, gone: said in the system's words (they name the path), and worth repeating.
      throw new PluginError(
        "unavailable",
        `The plugin cannot write its records: ${error.message}`,
        {
          cause: error,
        },
      );
    }
  }

  #temporary(uid: string): string {
    this.#made += 1;
    return join(this.#parts.directories.tmp, `${uid}-${this.#made}`);
  }

  #at(): string {
    return new Date(this.#parts.now()).toISOString();
  }
}

function syncedFile(path: string, value: unknown): FileStep {
  return { make: "file", path, content: textOf(value), mode: 0o600, synced: true };
}

function textOf(value: unknown): string {
  return `${JSON.stringify(value)}\n`;
}

/** A directory was not renamed as there is one with something in it under the new name, or a file. */
function isInTheWay({ syscall, code = "" }: NodeJS.ErrnoException): boolean {
  return syscall === "rename" && ["ENOTEMPTY", "EEXIST", "ENOTDIR"].includes(code);
}
