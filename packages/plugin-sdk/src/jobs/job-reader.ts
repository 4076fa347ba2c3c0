import type { RetrievedPodData } from "@interlink/protocol";
import { PluginError } from "../plugin-error.ts";
import { isUnreadable } from "./disk.ts";
import type { Job } from "./job-store.ts";
import { NewerJobError, newJob, readJob } from "./job-transition.ts";
import type { Quarantine } from "./quarantine.ts";
import type { RecordFiles } from "./record-files.ts";
import type { RecordLines } from "./record-text.ts";
import { jobLine, readPod } from "./record-text.ts";

export interface JobReaderParts<Record> {
  files: RecordFiles;
  quarantine: Quarantine;
  newRecord: (data: RetrievedPodData) => Record;
  readRecord: (value: unknown) => Record;
  now: () => number;
}

export interface ReadJob<Record> {
  job: Job<Record>;
  lines: RecordLines;
  /** `false`: what was read is to be written anew, as `lines`. */
  isTidy: boolean;
}

/** Makes jobs of what an earlier process has written. */
export class JobReader<Record> {
  readonly #parts: JobReaderParts<Record>;

  constructor(parts: JobReaderParts<Record>) {
    this.#parts = parts;
  }

  /**
   * The job of a pod. Where the job's line is damaged, `file` is kept aside and the job begins anew as an `intent`, so that
   * the resource is asked by UID; where the pod's is too, all of the job goes into quarantine: `undefined`. Throws for what
   * a newer version of this program has written, and the system's error where it cannot read now: what may be whole is not
   * set aside.
   */
  async read(
    uid: string,
    file: string,
    text: () => Promise<{ lines: RecordLines; isTidy: boolean }>,
  ): Promise<ReadJob<Record> | undefined> {
    const { files, quarantine } = this.#parts;
    let read: ReadJob<Record> & { damage?: unknown };
    try {
      const { lines, isTidy } = await text();
      read = { ...this.#jobOf(uid, lines), isTidy };
    } catch (error) {
      if (error instanceof NewerJobError) throw newer(file, error);
      if (isUnreadable(error)) throw error;
      const { directory } = files.paths(uid);
      await quarantine.setAside({ uid, record: files.record(uid), directory }, error);
      return undefined;
    }
    if (!("damage" in read)) return read;
    await quarantine.keep(uid, file, read.damage);
    return { ...read, isTidy: false };
  }

  /** `damage`: why the job begins anew. Throws what is wrong with the pod's line. */
  #jobOf(
    uid: string,
    lines: RecordLines,
  ): { job: Job<Record>; lines: RecordLines; damage?: unknown } {
    let job: Job<Record>;
    try {
      job = readJob(lines.job, uid, this.#parts.readRecord);
    } catch (damage) {
      if (damage instanceof NewerJobError) throw damage;
      job = this.#rebuilt(readPod(lines.pod, uid));
      return { job, lines: { ...lines, job: jobLine(job) }, damage };
    }
    readPod(lines.pod, uid);
    return { job, lines };
  }

  #rebuilt(data: RetrievedPodData): Job<Record> {
    const at = new Date(this.#parts.now()).toISOString();
    return { ...newJob(data, this.#parts.newRecord(data), at), rebuilt: true };
  }
}

function newer(file: string, cause: Error): PluginError {
  return new PluginError(
    "conflict",
    `The job in ${file} was written by a newer version of this program. Start that version, or delete the file when the job does not run.`,
    { cause },
  );
}
