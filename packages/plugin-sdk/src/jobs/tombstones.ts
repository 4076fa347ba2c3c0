import { readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import type { RemotePodStatus } from "@interlink/protocol";
import type { Logger } from "pino";
import type { Disk } from "./disk.ts";
import { isUnreadable } from "./disk.ts";
import { TEMPORARY_SUFFIX, writeDurably } from "./durable-file.ts";
import type { Tombstone } from "./job-store.ts";

/** How long the final status of a deleted pod can be asked for. */
const FINAL_STATUS_KEPT_MS = 10 * 60_000;
/** How long a deleted UID is refused. */
const TOMBSTONE_KEPT_MS = 24 * 3_600_000;

/** The pods deleted in the last day: files in one directory, mirrored in memory. */
export class Tombstones {
  readonly #directory: string;
  readonly #now: () => number;
  readonly #byUid = new Map<string, Tombstone>();

  constructor(directory: string, now: () => number) {
    this.#directory = directory;
    this.#now = now;
  }

  /**
   * Reads what is there. A damaged one keeps its UID refused (that is what its name alone tells). Throws the system's
   * error where it cannot read now.
   */
  async load(disk: Disk, logger: Logger): Promise<void> {
    for (const entry of await readdir(this.#directory)) {
      const path = join(this.#directory, entry);
      if (entry.endsWith(TEMPORARY_SUFFIX)) {
        await rm(path, { force: true });
        continue;
      }
      const uid = entry.replace(/\.json$/, "");
      try {
        this.#byUid.set(uid, readTombstone(await disk.readText(path), uid));
      } catch (error) {
        if (isUnreadable(error)) throw error;
        logger.error(
          { err: error, path },
          "a tombstone is damaged; its pod stays refused for a day",
        );
        const deletedAt = new Date(this.#now()).toISOString();
        this.#byUid.set(uid, { schemaVersion: 1, uid, name: "", namespace: "", deletedAt });
      }
    }
  }

  get(uid: string): Tombstone | undefined {
    const tombstone = this.#byUid.get(uid);
    if (tombstone === undefined) return undefined;
    return this.#age(tombstone) < TOMBSTONE_KEPT_MS ? tombstone : undefined;
  }

  finalStatus(uid: string): RemotePodStatus | undefined {
    const tombstone = this.#byUid.get(uid);
    if (tombstone === undefined || this.#age(tombstone) >= FINAL_STATUS_KEPT_MS) return undefined;
    return tombstone.finalStatus && asGone(tombstone.finalStatus);
  }

  finalStatuses(): RemotePodStatus[] {
    return [...this.#byUid.keys()].flatMap((uid) => this.finalStatus(uid) ?? []);
  }

  /** Durable when it resolves. The first one stands. */
  async put(tombstone: Omit<Tombstone, "schemaVersion" | "deletedAt">): Promise<void> {
    if (this.get(tombstone.uid) !== undefined) return;
    const deletedAt = new Date(this.#now()).toISOString();
    const whole: Tombstone = { schemaVersion: 1, ...tombstone, deletedAt };
    await writeDurably(this.#path(whole.uid), `${JSON.stringify(whole)}\n`);
    this.#byUid.set(whole.uid, whole);
  }

  /** Removes what is over; final statuses leave memory before their file does. */
  async sweep(): Promise<void> {
    for (const [uid, tombstone] of this.#byUid) {
      const age = this.#age(tombstone);
      if (age >= TOMBSTONE_KEPT_MS) {
        this.#byUid.delete(uid);
        await rm(this.#path(uid), { force: true });
      } else if (age >= FINAL_STATUS_KEPT_MS && tombstone.finalStatus !== undefined) {
        const { finalStatus: _over, ...rest } = tombstone;
        this.#byUid.set(uid, rest);
      }
    }
  }

  #age(tombstone: Tombstone): number {
    return this.#now() - Date.parse(tombstone.deletedAt);
  }

  #path(uid: string): string {
    return join(this.#directory, `${uid}.json`);
  }
}

/** Who hears only this one must be able to tell that nothing of the pod is left to wait for. */
function asGone(status: RemotePodStatus): RemotePodStatus {
  return { ...status, extension: { ...status.extension, deleting: true, gone: true } };
}

function readTombstone(text: string, uid: string): Tombstone {
  const value = JSON.parse(text) as Partial<Tombstone> | null;
  if (value?.uid !== uid) throw new Error("it belongs to another UID");
  if (!Number.isFinite(Date.parse(value.deletedAt ?? ""))) throw new Error("it has no time");
  return value as Tombstone;
}
