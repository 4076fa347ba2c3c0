import { join } from "node:path";
import type { RetrievedPodData } from "@interlink/protocol";
import { jobPaths } from "../jobs/job-paths.ts";
import type { Job, JobStore, Tombstone } from "../jobs/job-store.ts";
import { changedJob, newJob } from "../jobs/job-transition.ts";
import { PluginError } from "../plugin-error.ts";

/** A job store without a disk below `jobs`; what it has answered survives everything. */
export class MemoryJobStore<Record> implements JobStore<Record> {
  readonly root: string;
  readonly quarantined = [];
  /** Waited for before each write of a job; when it rejects, nothing is written. */
  beforeWrite: (() => Promise<void>) | undefined;
  readonly #newRecord: () => Record;
  readonly #jobs = new Map<string, Job<Record>>();
  readonly #data = new Map<string, RetrievedPodData>();
  readonly #tombstones = new Map<string, Tombstone>();

  constructor(root: string, newRecord: () => Record) {
    this.root = root;
    this.#newRecord = newRecord;
  }

  async create(data: RetrievedPodData): Promise<{ job: Job<Record>; created: boolean }> {
    const uid = data.pod.metadata?.uid ?? "";
    const existing = this.#jobs.get(uid);
    if (existing !== undefined) return { job: existing, created: false };
    if (this.#tombstones.has(uid)) throw new PluginError("conflict", "It was deleted.");
    const job = newJob(data, this.#newRecord(), new Date(0).toISOString());
    this.#jobs.set(uid, job);
    this.#data.set(uid, data);
    return { job, created: true };
  }

  async update(
    uid: string,
    change: Parameters<JobStore<Record>["update"]>[1],
  ): Promise<Job<Record>> {
    await this.beforeWrite?.();
    const job = this.#jobs.get(uid);
    if (job === undefined) throw new PluginError("not-found", "There is no such job.");
    // As on disk: what is kept cannot be changed from outside.
    const next = structuredClone(changedJob(job, change(job) ?? {}, new Date(0).toISOString()));
    this.#jobs.set(uid, next);
    return next;
  }

  get(uid: string): Job<Record> | undefined {
    return this.#jobs.get(uid);
  }

  list(): readonly Job<Record>[] {
    return [...this.#jobs.values()];
  }

  async data(uid: string): Promise<RetrievedPodData> {
    const data = this.#data.get(uid);
    if (data === undefined) throw new PluginError("not-found", "There is no such job.");
    return data;
  }

  async replaceData(uid: string, data: RetrievedPodData): Promise<void> {
    await this.beforeWrite?.();
    if (!this.#data.has(uid)) throw new PluginError("not-found", "There is no such job.");
    this.#data.set(uid, structuredClone(data));
  }

  paths(uid: string) {
    return jobPaths(join(this.root, uid));
  }

  async remove(uid: string): Promise<void> {
    const job = this.#jobs.get(uid);
    if (job !== undefined) await this.bury(job);
    this.#jobs.delete(uid);
  }

  async bury({ uid, name, namespace }: { uid: string; name: string; namespace: string }) {
    const deletedAt = new Date(0).toISOString();
    this.#tombstones.set(uid, { schemaVersion: 1, uid, name, namespace, deletedAt });
  }

  tombstone(uid: string): Tombstone | undefined {
    return this.#tombstones.get(uid);
  }

  finalStatus(): undefined {
    return undefined;
  }

  finalStatuses(): [] {
    return [];
  }

  async close(): Promise<void> {
    // Nothing is held.
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}
