import { mkdir, open, rename } from "node:fs/promises";
import { dirname } from "node:path";

/**
 * Replace `path` by `content` so that after a crash at any moment it holds the old or the new bytes, whole: temporary
 * file, fsync, rename, fsync of the directory. Writers for one path must be put in line by the caller.
 */
export async function writeDurably(path: string, content: string, mode = 0o600): Promise<void> {
  const temporary = `${path}${TEMPORARY_SUFFIX}`;
  await writeSynced(temporary, content, mode);
  await rename(temporary, path);
  await syncDirectory(dirname(path));
}

/** Of files left by a crash in {@link writeDurably}; never read. */
export const TEMPORARY_SUFFIX = ".tmp";

/** Write a file and fsync it; not atomic by itself. */
export async function writeSynced(path: string, content: string, mode: number): Promise<void> {
  const file = await open(path, "w", mode);
  try {
    await file.writeFile(content);
    await file.sync();
  } finally {
    await file.close();
  }
}

/** Make renames and new names in a directory survive a power cut. */
export async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, "r");
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}

/** A directory only for this user, and its parents. */
export async function makePrivateDirectory(path: string): Promise<void> {
  await mkdir(path, { recursive: true, mode: 0o700 });
}
