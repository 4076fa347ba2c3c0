import { rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { Disk, FileStep } from "@interlink/plugin-sdk";

/** A file as it is to be in a pod's directory. */
export interface WantedFile {
  path: string;
  content: string | Uint8Array;
  mode: number;
}

interface Kept {
  mode: number;
  /** The first name, once it is there. */
  path: Promise<string>;
}

/** Of different contents; shell text of a pod's own makes another one. */
const MOST_KEPT = 16;
/** What is shorter is no more work to write than to link. */
const LEAST_LENGTH = 4096;

/**
 * Files that are the same for many pods, as the scripts are: written once and given to each pod as a second name of the
 * same file, as a new file costs a file system much more than a new name. Nothing needs the first name afterwards, and
 * nothing ever writes to such a file: a change of the scripts makes another one.
 */
export class FixedFiles {
  readonly #directory: string;
  readonly #disk: Disk;
  /** By content, in the order of their last use. */
  readonly #kept = new Map<string, Kept>();
  #made = 0;

  /** `directory`: this class's own. */
  constructor(directory: string, disk: Disk) {
    this.#directory = directory;
    this.#disk = disk;
  }

  /** Forgets those of earlier lives. */
  async open(): Promise<void> {
    await rm(this.#directory, { recursive: true, force: true });
    await this.#disk.make([{ make: "directory", path: this.#directory, mode: 0o700 }]);
  }

  /** What puts the file there, in the place of what has its name now. */
  async step(file: WantedFile): Promise<FileStep> {
    const { path: to, content, mode } = file;
    if (typeof content !== "string" || content.length < LEAST_LENGTH) return newFile(file);
    const kept = this.#kept.get(content) ?? this.#keep(content, mode);
    if (kept.mode !== mode) return newFile(file);
    this.#kept.delete(content);
    this.#kept.set(content, kept);
    return { make: "link", path: await kept.path, to, anew: true };
  }

  /** Whether a step failed as its file was given up for others since, or somebody has removed it. */
  isLost(error: unknown): boolean {
    const { code, path = "" } = error as NodeJS.ErrnoException;
    return code === "ENOENT" && dirname(path) === this.#directory;
  }

  /** Whoever needs one next writes it anew. */
  forget(): void {
    this.#kept.clear();
  }

  #keep(content: string, mode: number): Kept {
    const [oldest] = this.#kept;
    if (oldest !== undefined && this.#kept.size >= MOST_KEPT) {
      const [text, { path }] = oldest;
      this.#kept.delete(text);
      path.then((first) => rm(first, { force: true })).catch(() => undefined);
    }
    const kept: Kept = { mode, path: this.#write(content, mode) };
    this.#kept.set(content, kept);
    kept.path.catch(() => {
      if (this.#kept.get(content) === kept) this.#kept.delete(content);
    });
    return kept;
  }

  async #write(content: string, mode: number): Promise<string> {
    const path = join(this.#directory, String(++this.#made));
    await this.#disk.make([{ make: "file", path, content, mode, anew: true }]);
    return path;
  }
}

/** As a file of its own: what an earlier try has left may be another's by now, or lead elsewhere. */
export function newFile(file: WantedFile): FileStep {
  return { make: "file", ...file, anew: true };
}
