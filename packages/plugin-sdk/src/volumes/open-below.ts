import { constants } from "node:fs";
import { type FileHandle, mkdir, open } from "node:fs/promises";

/** Linux' `O_PATH`, which Node has no name for: to stand at a place without opening what is there. */
const O_PATH = 0o10000000;
const HERE = O_PATH | constants.O_NOFOLLOW;

/**
 * Stands at `path` below the directory `root`, whose own links count as the operator's. Each name is looked up in the
 * directory before it, which is held open, and never followed if it is a link: whoever exchanges directories for links
 * meanwhile leads nobody out. Node has no `openat2`; `/proc/self/fd` does the same. Throws `ELOOP` at a link.
 */
export async function openBelow(root: string, path: string): Promise<FileHandle> {
  return walk(root, path, openEntry);
}

/** The same, and directories on the way that are missing are made, with the mode 0755 as far as the umask lets. */
export async function makeBelow(root: string, path: string): Promise<FileHandle> {
  return walk(root, path, async (directory, name) => {
    try {
      return await openEntry(directory, name);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    }
    await mkdir(`${pathOf(directory)}/${name}`, { mode: 0o755 }).catch(
      (error: NodeJS.ErrnoException) => {
        if (error.code !== "EEXIST") throw error;
      },
    );
    return openEntry(directory, name);
  });
}

async function walk(
  root: string,
  path: string,
  step: (directory: FileHandle, name: string) => Promise<FileHandle>,
): Promise<FileHandle> {
  const names = path.split("/").filter((name) => name !== "" && name !== ".");
  if (names.includes("..")) throw new Error(`The path ${path} leads upwards.`);
  let at = await open(root, O_PATH | constants.O_DIRECTORY);
  for (const name of names) {
    try {
      const next = await step(at, name);
      await at.close();
      at = next;
    } catch (error) {
      await at.close();
      throw error;
    }
  }
  return at;
}

/** The same for one name in a directory that is held open. */
export async function openEntry(directory: FileHandle, name: string): Promise<FileHandle> {
  const entry = await open(`${pathOf(directory)}/${name}`, HERE);
  if (!(await entry.stat()).isSymbolicLink()) return entry;
  await entry.close();
  throw Object.assign(new Error(`${name} is a link`), { code: "ELOOP" });
}

/** A path that leads to exactly what is held open, whatever its names lead to by now. In this process only. */
export function pathOf(handle: FileHandle): string {
  return `/proc/self/fd/${handle.fd}`;
}
