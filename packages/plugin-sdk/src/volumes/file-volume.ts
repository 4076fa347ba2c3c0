import { randomBytes } from "node:crypto";
import {
  chmod,
  chown,
  lstat,
  mkdir,
  readdir,
  readFile,
  readlink,
  rename,
  rm,
  symlink,
  writeFile,
} from "node:fs/promises";
import { dirname, join } from "node:path";
import { giveToGroup } from "./fs-group.ts";
import type { PlannedFile } from "./payload.ts";

const DATA = "..data";

export interface FileVolumeOptions {
  /** Milliseconds since the epoch, for the name of the files' directory. */
  now: number;
  /** The pod's `fsGroup`, if this process may give files away. */
  group?: number | undefined;
  /**
   * Asked when the old files are about to be removed: whether a container that is just starting may still need their
   * path, which a `subPath` has followed. They then stay until the next change.
   */
  keepsOld?: () => boolean;
}

/**
 * Make `directory` hold exactly these files, in the layout of the kubelet's atomic writer: the files in a directory of
 * their own `..<time>.<random>`, a link `..data` to it, and a link per top-level name into `..data`. Replacing `..data`
 * changes all files at once for whoever has the volume mounted, owners and modes included. Untouched when the content
 * is already this.
 */
export async function writeFileVolume(
  directory: string,
  files: readonly PlannedFile[],
  options: FileVolumeOptions,
): Promise<void> {
  await exchangeFiles(directory, files, options);
  if (options.group !== undefined) await giveToGroup(directory, options.group, true);
}

async function exchangeFiles(
  directory: string,
  files: readonly PlannedFile[],
  { now, group, keepsOld = () => false }: FileVolumeOptions,
): Promise<void> {
  await mkdir(directory, { recursive: true });
  await chmod(directory, 0o755);
  const current = await readlink(join(directory, DATA)).catch(() => undefined);
  if (current !== undefined && (await holds(join(directory, current), files))) {
    await linkNames(directory, files);
    return;
  }
  const stamp = new Date(now).toISOString().replaceAll(/[-:TZ]/g, "_");
  const next = `..${stamp}${randomBytes(5).toString("hex")}`;
  await writeTree(join(directory, next), files);
  // Before anybody sees them.
  if (group !== undefined) await giveToGroup(join(directory, next), group, true);
  const link = join(directory, `${DATA}_tmp`);
  await rm(link, { force: true });
  await symlink(next, link);
  await rename(link, join(directory, DATA));
  await linkNames(directory, files);
  const kept = current !== undefined && keepsOld() ? [next, current] : [next];
  await removeOthers(directory, kept, files);
}

async function writeTree(root: string, files: readonly PlannedFile[]): Promise<void> {
  await makeReadable(root);
  for (const { path, content, mode, uid } of files) {
    const file = join(root, path);
    await makeReadable(dirname(file));
    // Never readable by others before it has its mode; `wx` never follows a link.
    await writeFile(file, content, { mode: 0o600, flag: "wx" });
    await chmod(file, mode);
    if (uid !== undefined && process.geteuid?.() === 0) await chown(file, uid, -1);
  }
}

/** As `mkdir -p`, and open for every user of a container to read, whatever the umask says. */
async function makeReadable(path: string): Promise<void> {
  const first = await mkdir(path, { recursive: true });
  if (first === undefined) return;
  for (let made = path; made.length >= first.length; made = dirname(made)) await chmod(made, 0o755);
}

/** Whether the tree has these files with these bytes and modes, and no other. */
async function holds(root: string, files: readonly PlannedFile[]): Promise<boolean> {
  try {
    const entries = await readdir(root, { recursive: true, withFileTypes: true });
    if (entries.filter((entry) => !entry.isDirectory()).length !== files.length) return false;
    for (const { path, content, mode } of files) {
      const file = join(root, path);
      const found = await lstat(file);
      // Extra group bits are those that fsGroup added.
      if (!found.isFile() || (found.mode & 0o707) !== (mode & 0o707)) return false;
      if (!(await readFile(file)).equals(content)) return false;
    }
    return true;
  } catch {
    return false; // Half written by an earlier life: write anew.
  }
}

async function linkNames(directory: string, files: readonly PlannedFile[]): Promise<void> {
  for (const name of topNames(files)) {
    await symlink(join(DATA, name), join(directory, name)).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== "EEXIST") throw error;
    });
  }
}

/** Names that are no longer there, and the trees of earlier contents. */
async function removeOthers(
  directory: string,
  trees: readonly string[],
  files: readonly PlannedFile[],
): Promise<void> {
  const keep = new Set([DATA, ...trees, ...topNames(files)]);
  for (const name of await readdir(directory)) {
    if (!keep.has(name)) await rm(join(directory, name), { recursive: true, force: true });
  }
}

function topNames(files: readonly PlannedFile[]): Set<string> {
  return new Set(files.map(({ path }) => path.split("/")[0] ?? path));
}
