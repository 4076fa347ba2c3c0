import { mkdir, readdir, stat } from "node:fs/promises";
import { join } from "node:path";

/** Milliseconds since the epoch, with fractions: comparable with the times of files. */
export function wallNow(): number {
  return performance.timeOrigin + performance.now();
}

export async function openStamps(parent: string, name: string): Promise<string> {
  const directory = join(parent, name);
  await mkdir(directory, { recursive: true });
  return directory;
}

/** When each command of `stampedSleep` began, by name, as {@link wallNow}; true to a tick of the kernel (1 to 10 ms). */
export async function readStamps(directory: string): Promise<Map<string, number>> {
  const stamps = new Map<string, number>();
  for (const name of await readdir(directory)) {
    stamps.set(name, (await stat(join(directory, name))).mtimeMs);
  }
  return stamps;
}
