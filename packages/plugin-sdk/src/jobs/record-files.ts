import { readdir, rename, rm, unlink } from "node:fs/promises";
import { join } from "node:path";
import type { Logger } from "pino";
import { ignoreMissing } from "../ignore-missing.ts";
import type { Disk } from "./disk.ts";
import type { FileStep } from "./file-step.ts";
import type { JobPaths } from "./job-paths.ts";
import { jobPaths } from "./job-paths.ts";
import type { RecordLines } from "./record-text.ts";
import { recordName, recordText, uidOfRecord } from "./record-text.ts";

/** Where a store keeps its jobs. All absolute, on one file system. */
export interface StoreDirectories {
  records: string;
  jobs: string;
  quarantine: string;
  /** Empty at each start. */
  tmp: string;
}

export interface RecordFilesParts {
  disk: Disk;
  directories: StoreDirectories;
  /** A job has a record and no directory. */
  bare: boolean;
  logger: Logger;
}

/**
 * The files of jobs, whatever the records hold: a record each, and a directory unless the store is bare. Throws the
 * system's errors. Calls for one UID must be put in line by the caller.
 */
export class RecordFiles {
  readonly #parts: RecordFilesParts;
  #made = 0;

  constructor(parts: RecordFilesParts) {
    this.#parts = parts;
  }

  /** Path of the pod's record. */
  record(uid: string): string {
    return join(this.#parts.directories.records, recordName(uid));
  }

  paths(uid: string): JobPaths {
    return jobPaths(join(this.#parts.directories.jobs, uid));
  }

  /** Of all records. */
  async uids(): Promise<string[]> {
    const names = await readdir(this.#parts.directories.records);
    return names.flatMap((name) => uidOfRecord(name) ?? []);
  }

  async read(uid: string): Promise<string> {
    return this.#parts.disk.readText(this.record(uid));
  }

  /** A new job, durable when it resolves. When it rejects, the next start must not find one: what was made is removed. */
  async make(uid: string, lines: RecordLines): Promise<void> {
    const { disk, directories, bare, logger } = this.#parts;
    const building = this.#temporary(uid);
    const toJobs: FileStep = { make: "rename", path: building, to: this.paths(uid).directory };
    const inPlace = [...(bare ? [] : [toJobs]), ...this.#writing(uid, lines)];
    try {
      await disk
        .make([...(bare ? [] : directorySteps(building)), ...inPlace])
        .catch(async (error: NodeJS.ErrnoException) => {
          if (!isInTheWay(error)) throw error;
          await this.remove(uid);
          await disk.make(inPlace);
        });
      // In any order: where a power cut spares the record alone, the next start makes the directory.
      await Promise.all([this.sync(), ...(bare ? [] : [disk.syncDirectory(directories.jobs)])]);
    } catch (error) {
      const removed = [
        this.remove(uid),
        rm(this.#unfinished(uid), { force: true }),
        rm(building, { recursive: true, force: true }),
      ];
      // Where that fails too, the repeated create does it.
      await Promise.all(removed).catch((err: unknown) => {
        logger.warn({ err, uid }, "cannot remove the files of a failed create yet");
      });
      throw error;
    }
  }

  /** A record in the place of the one that is there, if one is: whole at any moment, durable after {@link sync}. */
  async write(uid: string, lines: RecordLines): Promise<void> {
    await this.#parts.disk.make(this.#writing(uid, lines));
  }

  /** Make the names of records durable. */
  async sync(): Promise<void> {
    await this.#parts.disk.syncDirectory(this.#parts.directories.records);
  }

  /** One more line of a record, durable when it resolves if it is `synced`. When it rejects, a part of the line may stand there. */
  async append(uid: string, line: string, synced: boolean): Promise<void> {
    const more: FileStep = { make: "more", path: this.record(uid), content: `${line}\n` };
    await this.#parts.disk.make([synced ? { ...more, synced: true } : more]);
  }

  /** The directory of a job that has none. */
  async makeDirectory(uid: string): Promise<void> {
    const { disk, directories } = this.#parts;
    const building = this.#temporary(uid);
    await disk.make([
      ...directorySteps(building),
      { make: "rename", path: building, to: this.paths(uid).directory },
      { make: "synced", path: directories.jobs },
    ]);
  }

  /** The record first: without one, there is no job. Not synced. */
  async remove(uid: string): Promise<void> {
    await unlink(this.record(uid)).catch(ignoreMissing);
    const away = this.#temporary(uid);
    const { directory } = this.paths(uid);
    const isAway = await rename(directory, away).then(() => true, ignoreMissing);
    if (!isAway) return;
    await rm(away, { recursive: true, force: true }).catch((err: unknown) => {
      this.#parts.logger.warn({ err, uid, path: away }, "cannot remove a job's files yet");
    });
  }

  #writing(uid: string, lines: RecordLines): FileStep[] {
    const path = this.#unfinished(uid);
    return [
      { make: "file", path, content: recordText(lines), mode: 0o600, synced: true },
      { make: "rename", path, to: this.record(uid) },
    ];
  }

  /** A record until it is whole. */
  #unfinished(uid: string): string {
    return join(this.#parts.directories.tmp, recordName(uid));
  }

  /** For a directory, with a name that no other has: those of records do not end in a digit. */
  #temporary(uid: string): string {
    this.#made += 1;
    return join(this.#parts.directories.tmp, `${uid}-${this.#made}`);
  }
}

/** A job's directory, put together elsewhere: it appears under its name whole. */
function directorySteps(building: string): FileStep[] {
  const { volumes, logs, containers } = jobPaths(building);
  const made = [building, volumes, logs, containers];
  return [
    ...made.map((path): FileStep => ({ make: "directory", path, mode: 0o700 })),
    { make: "synced", path: building },
  ];
}

/** A directory was not renamed as there is one with something in it under the new name, or a file. */
function isInTheWay({ syscall, code = "" }: NodeJS.ErrnoException): boolean {
  return syscall === "rename" && ["ENOTEMPTY", "EEXIST", "ENOTDIR"].includes(code);
}
