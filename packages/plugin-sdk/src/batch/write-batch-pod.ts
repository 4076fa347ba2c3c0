import { chmod } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { Disk } from "../jobs/disk.ts";
import { localDisk } from "../jobs/disk.ts";
import { makePrivateDirectory, writeDurably } from "../jobs/durable-file.ts";
import type { FileStep } from "../jobs/file-step.ts";
import { PluginError } from "../plugin-error.ts";
import type { BatchFile, BatchPod } from "./contract.ts";
import { SETTINGS_FILE } from "./encode.ts";

/**
 * Write what the script reads below `directory`, which is made, for this user alone. Repeatable; the script begins
 * nothing before all of it is there. For sites where the compute nodes see the same file system. `behind`: steps of the
 * caller's own, with files that are not there yet or made anew.
 */
export async function writeBatchPod(
  pod: BatchPod,
  directory: string,
  { disk = localDisk, behind = [] }: { disk?: Disk; behind?: readonly FileStep[] } = {},
): Promise<void> {
  const own: FileStep = { make: "directory", path: directory, mode: 0o700 };
  try {
    await disk.make([own, ...podSteps(pod, directory, true), ...behind]);
  } catch (error) {
    const { code, path } = error as NodeJS.ErrnoException;
    if (path !== directory || (code !== "EEXIST" && code !== "ENOENT")) throw error;
    await makePrivateDirectory(directory);
    // What an earlier try has left in it may be in the way.
    await chmod(directory, 0o700);
    await disk.make([...podSteps(pod, directory, false), ...behind]);
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

/** `isNew`: nothing of an earlier try is in the directory. */
function podSteps({ files }: BatchPod, directory: string, isNew: boolean): FileStep[] {
  const made = new Set<string>();
  const write = (file: BatchFile) => fileSteps(directory, file, { isNew, made });
  const settings = files.filter(({ path }) => path === SETTINGS_FILE);
  return [
    ...files.filter(({ path }) => path !== SETTINGS_FILE).flatMap(write),
    ...settings.flatMap((file): FileStep[] => {
      const temporary = `${file.path}.tmp`;
      return [
        ...write({ ...file, path: temporary }),
        // Not synced, as what it stands for is not either.
        { make: "rename", path: join(directory, temporary), to: join(directory, file.path) },
      ];
    }),
  ];
}

/** `made`: directories below `directory` that steps before have made. */
function fileSteps(
  directory: string,
  { path, mode, content }: BatchFile,
  { isNew, made }: { isNew: boolean; made: Set<string> },
): FileStep[] {
  const file = join(directory, checkedPath(path));
  // What an umask takes from others is not theirs; only modes with rights for them need saying again.
  const isPrivate = (mode & 0o077) === 0;
  return [
    ...parentSteps(directory, dirname(path), made),
    {
      make: "file",
      path: file,
      content,
      mode,
      ...(!isPrivate && { exact: true }),
      // One of an earlier try may be read-only, even for its owner.
      ...(!isNew && { anew: true }),
    },
  ];
}

/** Relative, and not out of the directory. Throws `PluginError` `internal`: only a runtime can have made such a path. */
export function checkedPath(path: string): string {
  const names = path.split("/");
  const isSound = names.every((name) => name !== "" && name !== "." && name !== "..");
  if (isSound && !path.includes("\0")) return path;
  throw new PluginError("internal", "A file of the job has a path that leads out of it.");
}

/** Open to every user of a container, whatever the umask says; the directory above them all is closed. */
function parentSteps(directory: string, below: string, made: Set<string>): FileStep[] {
  const steps: FileStep[] = [];
  let at = directory;
  for (const name of below.split("/")) {
    at = join(at, name);
    if (made.has(at)) continue;
    made.add(at);
    steps.push({ make: "directory", path: at, mode: 0o755, exact: true, known: true });
  }
  return steps;
}
