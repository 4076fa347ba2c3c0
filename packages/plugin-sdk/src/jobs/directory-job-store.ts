import type { RemotePodStatus, RetrievedPodData } from "@interlink/protocol";
import type { Logger } from "pino";
import { PluginError } from "../plugin-error.ts";
import { isSystemError, isUnreadable } from "./disk.ts";
import type { JobPaths } from "./job-paths.ts";
import { safeSegment } from "./job-paths.ts";
import type {
  Job,
  JobChange,
  JobStore,
  Quarantined,
  Tombstone,
  UpdateOptions,
} from "./job-store.ts";
import { changedJob, newJob } from "./job-transition.ts";
import { KeyedQueue } from "./keyed-queue.ts";
import type { RecordFiles } from "./record-files.ts";
import type { RecordLines } from "./record-text.ts";
import { jobLine, MOST_BEHIND, podLine, readPod, recordLines } from "./record-text.ts";
import type { RootLock } from "./root-lock.ts";
import type { Tombstones } from "./tombstones.ts";

const SWEEP_EVERY_MS = 60_000;

/** What `openJobStore` has read and locked. */
export interface JobStoreParts<Record> {
  root: string;
  files: RecordFiles;
  logger: Logger;
  newRecord: (data: RetrievedPodData) => Record;
  now: () => number;
  lock: RootLock;
  tombstones: Tombstones;
  jobs: Map<string, Job<Record>>;
  quarantined: readonly Quarantined[];
}

/** The store over its files; see `openJobStore` for the layout. */
export class DirectoryJobStore<Record> implements JobStore<Record> {
  readonly #parts: JobStoreParts<Record>;
  readonly #queue = new KeyedQueue();
  readonly #sweeper: NodeJS.Timeout;
  /** Of each job, how much has been put behind its record as it was written or found, if something has. */
  readonly #behind = new Map<string, number>();
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
      await this.#parts.files.make(uid, { pod: podLine(data), job: jobLine(job) });
      this.#parts.jobs.set(uid, job);
      return { job, created: true };
    });
  }

  async update(
    uid: string,
    change: (job: Job<Record>) => JobChange<Record> | undefined,
    { synced = true }: UpdateOptions = {},
  ): Promise<Job<Record>> {
    return this.#inLine(uid, async () => {
      const job = this.#known(uid);
      const changes = change(job);
      if (changes === undefined) return job;
      const next = changedJob(job, changes, this.#at());
      await this.#writeJob(uid, next, synced);
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
    const { files } = this.#parts;
    try {
      return readPod(recordLines(await files.read(uid)).lines.pod, uid);
    } catch (cause) {
      this.#known(uid); // Removed while it was being read.
      const code = isUnreadable(cause) ? "unavailable" : "internal";
      throw new PluginError(code, `The file ${files.record(uid)} cannot be read.`, { cause });
    }
  }

  async replaceData(uid: string, data: RetrievedPodData): Promise<void> {
    if (data.pod.metadata?.uid !== uid) {
      throw new PluginError("invalid", `The content of pod ${uid} names another UID.`);
    }
    await this.#inLine(uid, async () => {
      await this.#replace(uid, { pod: podLine(data), job: jobLine(this.#known(uid)) });
    });
  }

  paths(uid: string): JobPaths {
    return this.#parts.files.paths(safeSegment("pod UID", uid));
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
      // Not synced: if it is lost by a power cut, the tombstone has the next start do it again.
      await this.#parts.files.remove(uid);
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

  /** As one more line of its record, of which the last one counts: a new file each time costs a file system more. */
  async #writeJob(uid: string, job: Job<Record>, synced: boolean): Promise<void> {
    const { files } = this.#parts;
    const behind = this.#behind.get(uid) ?? 0;
    const line = jobLine(job);
    // Until it is known to be whole: nothing may come behind half a line.
    this.#behind.set(uid, Number.POSITIVE_INFINITY);
    if (behind + line.length <= MOST_BEHIND) {
      await files.append(uid, line, synced);
      this.#behind.set(uid, behind + line.length);
    } else {
      const { lines } = recordLines(await files.read(uid));
      await this.#replace(uid, { pod: lines.pod, job: line });
    }
  }

  async #replace(uid: string, lines: RecordLines): Promise<void> {
    const { files } = this.#parts;
    await files.write(uid, lines);
    await files.sync();
    this.#behind.delete(uid);
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

  #at(): string {
    return new Date(this.#parts.now()).toISOString();
  }
}
