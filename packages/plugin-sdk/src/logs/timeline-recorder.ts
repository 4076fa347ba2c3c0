import type { FSWatcher } from "node:fs";
import { watch } from "node:fs";
import { open, stat } from "node:fs/promises";
import { basename, dirname } from "node:path";
import type { Logger } from "pino";
import { ignoreMissing } from "../ignore-missing.ts";
import { decodeEntries, ENTRY_BYTES, encodeEntry, timelineFile } from "./timeline.ts";

/** Remembers when the bytes of growing log files were seen, so that timestamps and `sinceTime` work on raw files. */
export interface TimelineRecorder extends AsyncDisposable {
  /** Start recording `file` (may not exist yet, its directory must) into its timeline. Idempotent. */
  watch(file: string): void;
  /** Record what has been written up to now, then stop. Unknown file: resolves. */
  unwatch(file: string): Promise<void>;
  close(): Promise<void>;
}

/** Both may be left out. */
export interface TimelineRecorderOptions {
  /** Milliseconds since the epoch. */
  now?: () => number;
  logger?: Logger;
}

/** Looked at without a change event, per turn: for file systems that send none. */
const POLL_MS = 1_000;
const POLL_FILES = 256;
/** The time between two entries of one log: doubles with every so many entries, so a timeline stays small for ever. */
const FIRST_SPACING_MS = 20;
const LAST_SPACING_MS = 60_000;
const ENTRIES_PER_DOUBLING = 50_000;

/** Least time between entries of a timeline that has `entries` of them. */
export function entrySpacing(entries: number): number {
  const doublings = Math.floor(entries / ENTRIES_PER_DOUBLING);
  return Math.min(LAST_SPACING_MS, FIRST_SPACING_MS * 2 ** doublings);
}

/** A recorder with nothing to watch yet. One process records a log; a new one carries on where the last one stopped. */
export function createTimelineRecorder(options: TimelineRecorderOptions = {}): TimelineRecorder {
  return new DirectoryWatchingRecorder(options);
}

interface Recorded {
  readonly file: string;
  /** Of the log, as of the last entry; `undefined` until the timeline has been looked at. */
  size: number | undefined;
  entries: number;
  lastMilliseconds: number;
  /** One look at a time; a change during it causes one more. */
  looking: Promise<void> | undefined;
  again: boolean;
  timer: NodeJS.Timeout | undefined;
}

interface Watched {
  watcher: FSWatcher | undefined;
  /** By name in the directory. */
  files: Map<string, Recorded>;
}

class DirectoryWatchingRecorder implements TimelineRecorder {
  readonly #now: () => number;
  readonly #logger: Logger | undefined;
  readonly #files = new Map<string, Recorded>();
  readonly #directories = new Map<string, Watched>();
  readonly #poll: NodeJS.Timeout;
  #polled: string[] = [];

  constructor(options: TimelineRecorderOptions) {
    this.#now = options.now ?? Date.now;
    this.#logger = options.logger;
    this.#poll = setInterval(() => this.#pollSome(), POLL_MS);
    this.#poll.unref();
  }

  watch(file: string): void {
    if (this.#files.has(file)) return;
    const recorded: Recorded = {
      file,
      size: undefined,
      entries: 0,
      lastMilliseconds: 0,
      looking: undefined,
      again: false,
      timer: undefined,
    };
    this.#files.set(file, recorded);
    this.#watchDirectory(recorded);
    this.#look(recorded);
  }

  async unwatch(file: string): Promise<void> {
    const recorded = this.#files.get(file);
    if (recorded === undefined) return;
    this.#files.delete(file);
    this.#unwatchDirectory(file);
    clearTimeout(recorded.timer);
    await recorded.looking;
    await this.#record(recorded).catch((error: unknown) => this.#complain(recorded, error));
  }

  async close(): Promise<void> {
    clearInterval(this.#poll);
    await Promise.all([...this.#files.keys()].map((file) => this.unwatch(file)));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #watchDirectory(recorded: Recorded): void {
    const directory = dirname(recorded.file);
    const watched = this.#directories.get(directory) ?? this.#newDirectory(directory);
    watched.files.set(basename(recorded.file), recorded);
  }

  #newDirectory(directory: string): Watched {
    const files = new Map<string, Recorded>();
    const watched: Watched = { files, watcher: this.#tryWatch(directory, files) };
    this.#directories.set(directory, watched);
    return watched;
  }

  #tryWatch(directory: string, files: Map<string, Recorded>): FSWatcher | undefined {
    try {
      const watcher = watch(directory, { persistent: false }, (_event, name) => {
        const named = name === null ? undefined : files.get(name);
        if (named !== undefined) this.#look(named);
      });
      watcher.on("error", () => watcher.close());
      return watcher;
    } catch (error) {
      this.#logger?.debug(
        { err: error, directory },
        "no change events here; looking once a second",
      );
      return undefined;
    }
  }

  #unwatchDirectory(file: string): void {
    const watched = this.#directories.get(dirname(file));
    watched?.files.delete(basename(file));
    if (watched === undefined || watched.files.size > 0) return;
    watched.watcher?.close();
    this.#directories.delete(dirname(file));
  }

  #pollSome(): void {
    if (this.#polled.length === 0) this.#polled = [...this.#files.keys()];
    for (const file of this.#polled.splice(0, POLL_FILES)) {
      const recorded = this.#files.get(file);
      if (recorded !== undefined) this.#look(recorded);
    }
  }

  /** Look at the log now, or as soon as its spacing allows another entry. */
  #look(recorded: Recorded): void {
    if (recorded.timer !== undefined || recorded.looking !== undefined) {
      recorded.again = true;
      return;
    }
    recorded.looking = this.#record(recorded)
      .catch((error: unknown) => this.#complain(recorded, error))
      .finally(() => {
        recorded.looking = undefined;
        if (!this.#files.has(recorded.file)) return;
        recorded.timer = setTimeout(() => {
          recorded.timer = undefined;
          if (!recorded.again) return;
          recorded.again = false;
          this.#look(recorded);
        }, entrySpacing(recorded.entries));
        recorded.timer.unref();
      });
  }

  async #record(recorded: Recorded): Promise<void> {
    const resumed = recorded.size === undefined;
    if (resumed) await resumeTimeline(recorded);
    const seen = await stat(recorded.file).catch(ignoreMissing);
    if (seen === undefined || seen.size <= (recorded.size ?? 0)) return;
    // What was written while nobody recorded is as old as the file's last change.
    const time = resumed ? Math.min(this.#now(), Math.floor(seen.mtimeMs)) : this.#now();
    recorded.lastMilliseconds = Math.max(recorded.lastMilliseconds, time);
    const entry = encodeEntry({ offset: seen.size, milliseconds: recorded.lastMilliseconds });
    // If this fails, half an entry may be there: the next look starts as after a crash, and cuts it off.
    recorded.size = undefined;
    const timeline = await open(timelineFile(recorded.file), "a", 0o600);
    try {
      await timeline.writeFile(entry);
    } finally {
      await timeline.close();
    }
    recorded.size = seen.size;
    recorded.entries += 1;
  }

  #complain(recorded: Recorded, error: unknown): void {
    this.#logger?.warn({ err: error, file: recorded.file }, "cannot record the times of a log");
  }
}

/** Read the last entry that an earlier process wrote, cutting off half an entry that a crash left. */
async function resumeTimeline(recorded: Recorded): Promise<void> {
  const timeline = await open(timelineFile(recorded.file), "r+").catch(ignoreMissing);
  if (timeline === undefined) {
    recorded.size = 0;
    return;
  }
  try {
    const { size } = await timeline.stat();
    recorded.entries = Math.floor(size / ENTRY_BYTES);
    await timeline.truncate(recorded.entries * ENTRY_BYTES);
    if (recorded.entries > 0) {
      const last = Buffer.alloc(ENTRY_BYTES);
      await timeline.read(last, 0, ENTRY_BYTES, (recorded.entries - 1) * ENTRY_BYTES);
      const entry = decodeEntries(last)[0];
      recorded.lastMilliseconds = entry?.milliseconds ?? 0;
      recorded.size = entry?.offset ?? 0;
    } else {
      recorded.size = 0;
    }
  } finally {
    await timeline.close();
  }
}
