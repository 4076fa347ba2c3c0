import { chmod, chown, type FileHandle, readdir } from "node:fs/promises";
import { basename, dirname } from "node:path";
import { openBelow, openEntry, pathOf } from "./open-below.ts";

/**
 * Give a volume to the pod's `fsGroup`, as the kubelet does (pkg/volume/volume_linux.go): its group, readable (and
 * writable unless `readOnly`) by it, directories setgid. Links stay as they are, and lead nowhere: containers that
 * exchange files for links meanwhile get nothing of the host.
 */
export async function giveToGroup(path: string, gid: number, readOnly: boolean): Promise<void> {
  await using entry = await openBelow(dirname(path), basename(path));
  await give(entry, gid, readOnly);
}

async function give(entry: FileHandle, gid: number, readOnly: boolean): Promise<void> {
  const found = await entry.stat();
  const isDirectory = found.isDirectory();
  if (!isDirectory && !found.isFile()) return;
  const bits = readOnly ? 0o440 : 0o660;
  const path = pathOf(entry);
  await chown(path, found.uid, gid);
  await chmod(path, (found.mode & 0o7777) | bits | (isDirectory ? 0o2110 : 0));
  if (!isDirectory) return;
  for (const name of await readdir(path)) {
    let child: FileHandle;
    try {
      child = await openEntry(entry, name);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      // A link; or removed meanwhile.
      if (code === "ELOOP" || code === "ENOENT") continue;
      throw error;
    }
    await using held = child;
    await give(held, gid, readOnly);
  }
}
