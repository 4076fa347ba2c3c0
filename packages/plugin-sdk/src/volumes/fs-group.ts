import { chmod, chown, lstat, readdir } from "node:fs/promises";
import { join } from "node:path";

/**
 * Give a volume to the pod's `fsGroup`, as the kubelet does (pkg/volume/volume_linux.go): its group, readable (and
 * writable unless `readOnly`) by it, directories setgid. Links stay as they are.
 */
export async function giveToGroup(path: string, gid: number, readOnly: boolean): Promise<void> {
  const { mode, uid } = await lstat(path);
  const isDirectory = (mode & 0o170000) === 0o040000;
  const isFile = (mode & 0o170000) === 0o100000;
  if (!isDirectory && !isFile) return;
  const bits = readOnly ? 0o440 : 0o660;
  await chown(path, uid, gid);
  await chmod(path, (mode & 0o7777) | bits | (isDirectory ? 0o2110 : 0));
  if (!isDirectory) return;
  for (const name of await readdir(path)) await giveToGroup(join(path, name), gid, readOnly);
}
