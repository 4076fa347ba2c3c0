import { mkdir, rm, stat, truncate } from "node:fs/promises";
import { join } from "node:path";
import { runProgram } from "./programs.ts";

/** A file system of its own at a directory, in memory; `size` as mount takes it, e.g. `2m`. Needs root. */
export async function mountSmall(directory: string, size: string): Promise<void> {
  await mkdir(directory, { recursive: true });
  await runProgram("mount", ["-t", "tmpfs", "-o", `size=${size}`, "small", directory]);
}

/** Takes all the space that there is, but for `leave` bytes. Gives what makes it free again; repeatable. */
export async function fillDisk(directory: string, leave = 0): Promise<() => Promise<void>> {
  const file = join(directory, "filler");
  await runProgram("sh", ["-c", 'cat /dev/zero > "$0" 2>/dev/null || true', file]);
  if (leave > 0) await truncate(file, (await stat(file)).size - leave);
  return () => rm(file, { force: true });
}
