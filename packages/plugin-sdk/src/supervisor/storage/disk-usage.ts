import type { Dirent } from "node:fs";
import { lstat, opendir } from "node:fs/promises";
import { join } from "node:path";

const BLOCK = 512n;
/** Files that are looked at in one measurement; a pod with more of them is not measured to the end. */
const MOST_FILES = 1_000_000;

/**
 * Bytes on disk below a directory, as `du` counts them: blocks, and a file of several names once. Links are not
 * followed. What vanishes meanwhile, or is not there, is nothing.
 */
export async function diskUsage(directory: string, signal: AbortSignal): Promise<bigint> {
  const seen = new Set<string>();
  const waiting = [directory];
  let total = 0n;
  let files = 0;
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    for await (const entry of entriesOf(next)) {
      signal.throwIfAborted();
      files += 1;
      if (files > MOST_FILES) return total;
      const path = join(next, entry.name);
      if (entry.isDirectory()) waiting.push(path);
      const stats = await lstat(path, { bigint: true }).catch(unlessGone);
      if (stats === undefined) continue;
      const id = `${stats.dev}:${stats.ino}`;
      if (stats.nlink > 1n && !entry.isDirectory()) {
        if (seen.has(id)) continue;
        seen.add(id);
      }
      total += stats.blocks * BLOCK;
    }
  }
  return total;
}

async function* entriesOf(directory: string): AsyncIterable<Dirent> {
  const opened = await opendir(directory).catch(unlessGone);
  if (opened !== undefined) yield* opened;
}

function unlessGone(error: unknown): undefined {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  if (code === "ENOENT" || code === "ENOTDIR" || code === "EACCES") return undefined;
  throw error;
}
