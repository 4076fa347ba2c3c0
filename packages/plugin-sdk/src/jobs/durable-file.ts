import { mkdir } from "node:fs/promises";
import { dirname } from "node:path";
import { type FileStep, makeSteps } from "./file-step.ts";

/** Of files left by a crash in {@link durableSteps}; never read. */
export const TEMPORARY_SUFFIX = ".tmp";

/**
 * What replaces `path` by `content` so that after a crash at any moment it holds the old or the new bytes, whole: temporary
 * file, fsync, rename, fsync of the directory. Writers for one path must be put in line by the caller.
 */
export function durableSteps(path: string, content: string, mode = 0o600): FileStep[] {
  const temporary = `${path}${TEMPORARY_SUFFIX}`;
  return [
    { make: "file", path: temporary, content, mode, synced: true },
    { make: "rename", path: temporary, to: path },
    { make: "synced", path: dirname(path) },
  ];
}

/** Makes {@link durableSteps} in this thread. */
export async function writeDurably(path: string, content: string, mode?: number): Promise<void> {
  await makeSteps(durableSteps(path, content, mode));
}

/** A directory only for this user, and its parents. */
export async function makePrivateDirectory(path: string): Promise<void> {
  await mkdir(path, { recursive: true, mode: 0o700 });
}
