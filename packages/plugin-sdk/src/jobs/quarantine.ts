import { mkdir, readdir, rename } from "node:fs/promises";
import { join } from "node:path";
import type { Logger } from "pino";
import { ignoreMissing } from "../ignore-missing.ts";
import type { Disk } from "./disk.ts";
import type { Quarantined } from "./job-store.ts";
import { recordName } from "./record-text.ts";

export interface QuarantineParts {
  directory: string;
  disk: Disk;
  logger: Logger;
  now: () => number;
}

/**
 * What is damaged, for a person to look at: `<uid>@<time>/` holds what was of a job that cannot be rebuilt, and keeps its
 * UID refused until it is removed; `<uid>@<time>.json` is a damaged record of one that could.
 */
export class Quarantine {
  readonly #parts: QuarantineParts;
  readonly #all: Quarantined[] = [];

  constructor(parts: QuarantineParts) {
    this.#parts = parts;
  }

  /** What is there of earlier starts, then what this one set aside. */
  get all(): readonly Quarantined[] {
    return this.#all;
  }

  /** Reads what earlier starts set aside. */
  async load(): Promise<void> {
    const { directory } = this.#parts;
    for (const entry of await readdir(directory, { withFileTypes: true })) {
      if (!entry.isDirectory() || !entry.name.includes("@")) continue;
      this.#all.push({
        uid: entry.name.slice(0, entry.name.lastIndexOf("@")),
        path: join(directory, entry.name),
        reason: "it was damaged at an earlier start",
      });
    }
  }

  /** Moves a job's record and directory here, so far as there are any. */
  async setAside(
    job: { uid: string; record: string; directory: string },
    damage: unknown,
  ): Promise<void> {
    const { disk, directory, logger } = this.#parts;
    const { uid } = job;
    const path = this.#path(uid);
    await mkdir(path, { recursive: true, mode: 0o700 });
    await rename(job.record, join(path, recordName(uid))).catch(ignoreMissing);
    await rename(job.directory, join(path, "files")).catch(ignoreMissing);
    await disk.make([
      { make: "synced", path },
      { make: "synced", path: directory },
    ]);
    this.#all.push({ uid, path, reason: String(damage) });
    logger.error(
      { err: damage, uid, path },
      "a job's record is damaged and cannot be rebuilt; look at it, end its job by hand if it runs, then delete it",
    );
  }

  /** Keeps what a damaged file holds, which is about to be written anew. */
  async keep(uid: string, file: string, damage: unknown): Promise<void> {
    const { disk, directory, logger } = this.#parts;
    const path = `${this.#path(uid)}.json`;
    await disk.make([{ make: "link", path: file, to: path, anew: true }]).catch(ignoreMissing);
    await disk.syncDirectory(directory);
    logger.error(
      { err: damage, uid, path },
      "a job's record was damaged; it is rebuilt from the pod, its history is lost",
    );
  }

  #path(uid: string): string {
    const at = new Date(this.#parts.now()).toISOString().replaceAll(":", "");
    return join(this.#parts.directory, `${uid}@${at}`);
  }
}
