import type { PodParts } from "./pod-parts.ts";
import type { PodRecord } from "./record.ts";
import type { AboutPodJob } from "./work.ts";

/**
 * From a change of the record to its writing, when nothing waits for that. What is lost by a crash in between the
 * runtime tells again; a container that runs for a second is written down once.
 */
const SAVE_AFTER_MS = 2_000;

export interface RecordWriterOptions {
  parts: PodParts;
  /** For log lines, too. */
  about: AboutPodJob;
  initial: PodRecord;
  /** The record as it is now. */
  record: () => PodRecord;
  /** Whether it is no longer worth a word that a write failed. */
  isOver: () => boolean;
}

/** Brings one pod's record to disk: at once where an action depends on it, else soon and many changes together. */
export class RecordWriter {
  readonly #options: RecordWriterOptions;
  #written: PodRecord;
  #cancel: (() => void) | undefined;
  #startedUnsaved = false;

  constructor(options: RecordWriterOptions) {
    this.#options = options;
    this.#written = options.initial;
  }

  /** What is on disk. */
  get written(): PodRecord {
    return this.#written;
  }

  /** A container was started that the record on disk does not show as running. */
  started(): void {
    this.#startedUnsaved = true;
  }

  /** Durable when it resolves. */
  async save(): Promise<void> {
    const { parts, about, record } = this.#options;
    const { uid, job: jobId } = about;
    const started = this.#startedUnsaved;
    let written = record();
    await parts.store.update(uid, (job) => {
      written = record();
      if (job.record === written) return undefined;
      const { deletion, containers } = written;
      const begun = Object.values(containers).some(({ current }) => current !== undefined);
      const phase = deletion !== undefined ? "deleting" : begun ? "submitted" : "intent";
      return { phase, ...(begun && { jobId }), record: written };
    });
    this.#written = written;
    if (started && this.#startedUnsaved) {
      this.#startedUnsaved = false;
      parts.checkpoint("create.recorded");
    }
  }

  /** Within two seconds, if it differs from what is on disk. */
  saveSoon(): void {
    const { parts, about, record, isOver } = this.#options;
    const { clock, logger } = parts;
    if (record() === this.#written) return;
    this.#cancel ??= clock.at(clock.now() + SAVE_AFTER_MS, () => {
      this.#cancel = undefined;
      this.save().catch((error: unknown) => {
        if (isOver()) return;
        logger.error({ ...about, err: error }, "a pod's record could not be written");
        this.saveSoon();
      });
    });
  }

  /** Writes what is not written yet, if the job is still there. */
  async close(): Promise<void> {
    const { parts, about, record } = this.#options;
    this.#cancel?.();
    if (this.#written !== record() && parts.store.get(about.uid) !== undefined) await this.save();
  }
}
