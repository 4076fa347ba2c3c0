import type { FileHandle } from "node:fs/promises";
import { open } from "node:fs/promises";

/**
 * A log's timeline: lines of 15 digits, a blank and 14 digits, `offset milliseconds`, both rising. An entry says that by
 * that time (since the epoch) the log held that many bytes. So a byte was written no later than the first entry whose
 * offset lies behind it. Lines have one length, so that the file can be searched without reading it whole.
 */
export const ENTRY_BYTES = 31;

/** Where the timeline of a log file lies: beside it. */
export function timelineFile(logFile: string): string {
  return `${logFile}.times`;
}

export interface TimelineEntry {
  offset: number;
  milliseconds: number;
}

export function encodeEntry({ offset, milliseconds }: TimelineEntry): string {
  const time = Math.max(0, Math.floor(milliseconds));
  return `${String(offset).padStart(15, "0")} ${String(time).padStart(14, "0")}\n`;
}

/** The entries in `bytes`, whose start must be the start of an entry; half an entry at the end is left out. */
export function decodeEntries(bytes: Uint8Array): TimelineEntry[] {
  const text = Buffer.from(bytes).toString("latin1");
  const entries: TimelineEntry[] = [];
  for (let at = 0; at + ENTRY_BYTES <= text.length; at += ENTRY_BYTES) {
    const offset = Number(text.slice(at, at + 15));
    const milliseconds = Number(text.slice(at + 16, at + 30));
    if (Number.isNaN(offset) || Number.isNaN(milliseconds)) break;
    entries.push({ offset, milliseconds });
  }
  return entries;
}

const BLOCK_ENTRIES = 2048;

/** Looks up times in a timeline that may still be growing, keeping one block of it in memory. */
export class TimelineReader implements AsyncDisposable {
  readonly #file: FileHandle | undefined;
  #count = 0;
  #blockIndex = -1;
  #block: TimelineEntry[] = [];

  private constructor(file: FileHandle | undefined) {
    this.#file = file;
  }

  /** A log without a timeline has an empty one. */
  static async open(path: string): Promise<TimelineReader> {
    const file = await open(path, "r").catch((error: NodeJS.ErrnoException) => {
      if (error.code === "ENOENT") return undefined;
      throw error;
    });
    const reader = new TimelineReader(file);
    await reader.refresh();
    return reader;
  }

  /** Take note of entries added since. */
  async refresh(): Promise<void> {
    if (this.#file === undefined) return;
    const count = Math.floor((await this.#file.stat()).size / ENTRY_BYTES);
    if (count !== this.#count) this.#blockIndex = -1;
    this.#count = count;
  }

  /** When the byte at `offset` had been written, at the latest; `undefined` if no entry covers it yet. */
  async timeAt(offset: number): Promise<number | undefined> {
    if (!this.#covers(offset)) await this.#seek(offset);
    if (!this.#covers(offset)) return undefined;
    let low = 0;
    let high = this.#block.length - 1;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#block[middle]?.offset ?? 0) > offset) high = middle;
      else low = middle + 1;
    }
    return this.#block[low]?.milliseconds;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#file?.close();
  }

  #covers(offset: number): boolean {
    const last = this.#block.at(-1);
    if (this.#blockIndex < 0 || last === undefined || last.offset <= offset) return false;
    return this.#blockIndex === 0 || (this.#block[0]?.offset ?? 0) <= offset;
  }

  /** Load the first block whose last entry lies behind `offset`; the next one is tried first. */
  async #seek(offset: number): Promise<void> {
    const blocks = Math.ceil(this.#count / BLOCK_ENTRIES);
    if (blocks === 0) return;
    if (this.#blockIndex >= 0 && this.#blockIndex + 1 < blocks) {
      await this.#load(this.#blockIndex + 1);
      if (this.#covers(offset)) return;
    }
    let low = 0;
    let high = blocks - 1;
    while (low < high) {
      const middle = (low + high) >> 1;
      const last = await this.#read((middle + 1) * BLOCK_ENTRIES - 1, 1);
      if ((last[0]?.offset ?? 0) > offset) high = middle;
      else low = middle + 1;
    }
    // From the last entry of the block before, so that `#covers` can tell that nothing lies between.
    await this.#load(low);
  }

  async #load(index: number): Promise<void> {
    const first = Math.max(0, index * BLOCK_ENTRIES - 1);
    const end = Math.min(this.#count, (index + 1) * BLOCK_ENTRIES);
    this.#block = await this.#read(first, end - first);
    this.#blockIndex = index;
  }

  async #read(first: number, count: number): Promise<TimelineEntry[]> {
    if (this.#file === undefined) return [];
    const buffer = Buffer.alloc(count * ENTRY_BYTES);
    const { bytesRead } = await this.#file.read(buffer, 0, buffer.length, first * ENTRY_BYTES);
    return decodeEntries(buffer.subarray(0, bytesRead));
  }
}
