import type { RemotePodStatus, RetrievedPodData } from "@interlink/protocol";
import type { JobPaths } from "./job-paths.ts";

/**
 * How far a job has come. `intent`: written down, perhaps submitted, ask the resource by UID before submitting (again).
 * `submitted`: the resource has it, `jobId` is known. `deleting`: asked to go, not yet confirmed gone.
 */
export type JobPhase = "intent" | "submitted" | "deleting";

/** What is remembered of one pod (the last line of its record). `Record` is the plugin's own part, plain JSON. */
export interface Job<Record> {
  /** Of this shape. */
  readonly schemaVersion: 1;
  readonly uid: string;
  readonly name: string;
  readonly namespace: string;
  readonly phase: JobPhase;
  /** The resource's id; set from `submitted` on. */
  readonly jobId?: string;
  /** RFC 3339, as all times here. Set by the store. */
  readonly createdAt: string;
  readonly submittedAt?: string;
  readonly deletingAt?: string;
  /** `true`: it was damaged and is rebuilt from what was asked; what the resource says counts more than `record`. */
  readonly rebuilt?: boolean;
  /** Restart counts, attempts, exit records: whatever the plugin needs after a restart. */
  readonly record: Record;
}

/** What an update may change. */
export type JobChange<Record> = Partial<Pick<Job<Record>, "phase" | "jobId" | "record">>;

/** What stays of a deleted pod for a day, so that it never runs again (`tombstones/<uid>.json`). */
export interface Tombstone {
  readonly schemaVersion: 1;
  readonly uid: string;
  readonly name: string;
  readonly namespace: string;
  /** RFC 3339. */
  readonly deletedAt: string;
  readonly finalStatus?: RemotePodStatus;
}

/** A directory or file that could not be read, moved out of the way for a person to look at. */
export interface Quarantined {
  readonly uid: string;
  /** Where it lies now. */
  readonly path: string;
  readonly reason: string;
}

/** How `JobStore.update` writes. */
export interface UpdateOptions {
  /**
   * `false`: the change outlives this process, but a power cut may lose it; then the job is as it was before. For what is
   * found out again, as the id of a job that is looked for by its pod. Default: it is durable when `update` resolves.
   */
  synced?: boolean;
}

/**
 * A plugin's memory: a file per pod, named by UID, and a directory. What it has answered is on disk (fsync); `get` and `list` read
 * from memory. Writers for one UID are put in line, so `update` sees what the one before it wrote.
 */
export interface JobStore<Record> extends AsyncDisposable {
  readonly root: string;
  /**
   * Write down that this pod is to run. Idempotent: `created: false` with the job that exists. Throws `PluginError`
   * `conflict` if the UID was deleted before, `internal` if its record lies damaged in quarantine, `invalid` if the UID
   * cannot name a directory.
   */
  create(data: RetrievedPodData): Promise<{ job: Job<Record>; created: boolean }>;
  /**
   * Change a job; `change` sees the current one and returns what differs, or `undefined` for nothing to write.
   * A phase only moves forward: asking for `submitted` on a job that is `deleting` keeps `deleting` but takes the
   * `jobId`. Throws `not-found` for an unknown UID.
   */
  update(
    uid: string,
    change: (job: Job<Record>) => JobChange<Record> | undefined,
    options?: UpdateOptions,
  ): Promise<Job<Record>>;
  get(uid: string): Job<Record> | undefined;
  list(): readonly Job<Record>[];
  /** What was asked, with its secrets: read from disk at each call, not kept. */
  data(uid: string): Promise<RetrievedPodData>;
  /**
   * Keep this instead of what was asked so far: what the pod names has changed. Durable when it resolves. Throws
   * `not-found` for an unknown UID, `invalid` if it is another pod's.
   */
  replaceData(uid: string, data: RetrievedPodData): Promise<void>;
  /** Paths of this pod's files; the directories exist as long as the job does, but for a bare store's. */
  paths(uid: string): JobPaths;
  /**
   * The job is confirmed gone: bury it (tombstone first), then remove its files. Idempotent; an unknown UID
   * resolves. To bury a pod that never arrived here, so that a late create is refused, use {@link bury}.
   */
  remove(uid: string, finalStatus?: RemotePodStatus): Promise<void>;
  /** A tombstone for a pod without a job: its delete came before its create. No-op when it has a job or tombstone. */
  bury(pod: { uid: string; name: string; namespace: string }): Promise<void>;
  tombstone(uid: string): Tombstone | undefined;
  /** The last status of a pod deleted less than ten minutes ago, marked as `gone` in its extension. */
  finalStatus(uid: string): RemotePodStatus | undefined;
  /** All of these. */
  finalStatuses(): RemotePodStatus[];
  /** What start-up could not read. Never empty without a line in the log. */
  readonly quarantined: readonly Quarantined[];
  /** Waits for writes under way and gives up the root's lock. */
  close(): Promise<void>;
}
