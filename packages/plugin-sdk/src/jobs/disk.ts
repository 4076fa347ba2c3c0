import { readFile } from "node:fs/promises";
import type { FileStep } from "./file-step.ts";
import { makeSteps, syncDirectory } from "./file-step.ts";

/** What the job store asks of its disk that may fail although nothing is damaged; tests hand in failing ones. */
export interface Disk {
  /** Makes steps one after another. Throws the system's error of the first that fails; those behind it are not begun. */
  make(steps: readonly FileStep[]): Promise<void>;
  /** Make renames and new names in a directory survive a power cut. */
  syncDirectory(path: string): Promise<void>;
  /** The whole file as text. */
  readText(path: string): Promise<string>;
}

export const localDisk: Disk = {
  make: makeSteps,
  syncDirectory,
  readText: (path) => readFile(path, "utf8"),
};

/** An error of a system call: a disk that is full, read-only or gone, too many open files. */
export function isSystemError(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && typeof (error as NodeJS.ErrnoException).syscall === "string";
}

/** Where the system says that a path is not the file it should be. */
const NOT_THE_FILE = new Set(["ENOENT", "ENOTDIR", "EISDIR", "ELOOP"]);

/** Whether the system could not tell what a file holds: the file may be whole, and must not be taken for damaged. */
export function isUnreadable(error: unknown): boolean {
  return isSystemError(error) && !NOT_THE_FILE.has(error.code ?? "");
}
