import { lstat, readdir, readFile, readlink } from "node:fs/promises";
import { join } from "node:path";
import type { TarEntry } from "../sandbox/tar.ts";

/** A directory with all that is in it, as entries of an archive below `name`. Links are taken as they are. */
export async function readTree(directory: string, name: string): Promise<TarEntry[]> {
  const { mode, gid } = await lstat(directory);
  const entries: TarEntry[] = [{ name, type: "directory", mode: mode & 0o7777, gid }];
  const names = await readdir(directory, { withFileTypes: true });
  // Links last: what they lead to is there before them.
  names.sort((a, b) => Number(a.isSymbolicLink()) - Number(b.isSymbolicLink()));
  for (const one of names) {
    const path = join(directory, one.name);
    const at = `${name}/${one.name}`;
    if (one.isDirectory()) entries.push(...(await readTree(path, at)));
    else if (one.isSymbolicLink()) {
      entries.push({ name: at, type: "link", target: await readlink(path), mode: 0o777 });
    } else if (one.isFile()) {
      const file = await lstat(path);
      const content = await readFile(path);
      entries.push({ name: at, content, mode: file.mode & 0o7777, gid: file.gid });
    }
  }
  return entries;
}
