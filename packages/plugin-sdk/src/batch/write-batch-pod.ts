import { chmod, mkdir, rename, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { makePrivateDirectory, syncDirectory, writeDurably } from "../jobs/durable-file.ts";
import { PluginError } from "../plugin-error.ts";
import type { BatchFile, BatchPod } from "./contract.ts";
import { SETTINGS_FILE } from "./encode.ts";

/**
 * Write what the script reads below `directory`, which is made, for this user alone. Repeatable; the script begins
 * nothing before all of it is there. For sites where the compute nodes see the same file system.
 */
export async function writeBatchPod(pod: BatchPod, directory: string): Promise<void> {
  const isNew = await makeOwnDirectory(directory);
  const made = new Set<string>();
  const write = (file: BatchFile) => writeBatchFile(directory, file, { isNew, made });
  for (const file of pod.files) {
    if (file.path !== SETTINGS_FILE) await write(file);
  }
  for (const file of pod.files) {
    if (file.path !== SETTINGS_FILE) continue;
    const temporary = `${file.path}.tmp`;
    await write({ ...file, path: temporary });
    await rename(join(directory, temporary), join(directory, file.path));
    await syncDirectory(join(directory, dirname(file.path)));
  }
}

/**
 * Say how long the pod may take to end, in seconds, where that is not what the pod itself says; the script reads it at each
 * SIGTERM, and a later one can only shorten it.
 */
export async function writeBatchGrace(directory: string, seconds: number): Promise<void> {
  const whole = Math.max(0, Math.min(999_999_999, Math.trunc(seconds)));
  await writeDurably(join(directory, "grace"), `${whole}\n`);
}

/** Gives whether it was not there before: then nothing of an earlier try is in it. */
async function makeOwnDirectory(directory: string): Promise<boolean> {
  await makePrivateDirectory(dirname(directory));
  try {
    await mkdir(directory, { mode: 0o700 });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    await chmod(directory, 0o700);
    return false;
  }
}

/** `made`: directories below `directory` that this call has made or found. Pods come by the hundred: nothing is done twice. */
async function writeBatchFile(
  directory: string,
  { path, mode, content }: BatchFile,
  { isNew, made }: { isNew: boolean; made: Set<string> },
): Promise<void> {
  const file = join(directory, checkedPath(path));
  const parent = dirname(path);
  if (!made.has(parent)) {
    await makeParents(directory, parent);
    made.add(parent);
  }
  // One of an earlier try may be read-only, even for its owner.
  if (!isNew) await rm(file, { force: true });
  // What an umask takes from others is not theirs; only modes with rights for them need saying again.
  const isPrivate = (mode & 0o077) === 0;
  await writeFile(file, content, { mode: isPrivate ? mode : 0o600, flag: "wx" });
  if (!isPrivate) await chmod(file, mode);
}

/** Relative, and not out of the directory. Throws `PluginError` `internal`: only a runtime can have made such a path. */
export function checkedPath(path: string): string {
  const names = path.split("/");
  const isSound = names.every((name) => name !== "" && name !== "." && name !== "..");
  if (isSound && !path.includes("\0")) return path;
  throw new PluginError("internal", "A file of the job has a path that leads out of it.");
}

/** Open to every user of a container, whatever the umask says; the directory above them all is closed. */
async function makeParents(directory: string, below: string): Promise<void> {
  let at = directory;
  for (const name of below.split("/")) {
    at = join(at, name);
    if ((await mkdir(at, { recursive: true })) !== undefined) await chmod(at, 0o755);
  }
}
