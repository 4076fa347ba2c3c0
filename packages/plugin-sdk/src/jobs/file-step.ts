import {
  chmod,
  copyFile,
  constants as files,
  link,
  mkdir,
  open,
  rename,
  rm,
} from "node:fs/promises";

/** One step with files. Paths are absolute, modes are bits as in Kubernetes. */
export type FileStep =
  | {
      make: "directory";
      path: string;
      mode: number;
      /** The mode is set whatever the umask says. */
      exact?: true;
      /** One that is there already is no error, and keeps its mode. */
      known?: true;
    }
  | {
      /** A file that is not there yet; with `synced` also one that is. */
      make: "file";
      path: string;
      content: string | Uint8Array;
      mode: number;
      exact?: true;
      /** What has this name is removed before. */
      anew?: true;
      /** Its bytes are on disk before the next step. */
      synced?: true;
    }
  /** A second name, `to`, of the file `path`, or a copy where the file system has none. `anew`: as above. */
  | { make: "link"; path: string; to: string; anew?: true }
  /** Put behind what is in a file that is there. What fails may leave a part of it. `synced`: as above. */
  | { make: "more"; path: string; content: string; synced?: true }
  | { make: "rename"; path: string; to: string }
  /** Names in the directory are on disk before the next step. */
  | { make: "synced"; path: string };

/** Make renames and new names in a directory survive a power cut. */
export async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, "r");
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}

// runner/file-steps.mjs makes the same steps in a thread, which cannot load TypeScript from its source; one suite of tests
// (disk.test.ts) holds both to the same.

/** Makes steps in this thread; throws the system's error of the first that fails, and does not begin those behind it. */
export async function makeSteps(steps: readonly FileStep[]): Promise<void> {
  for (const step of steps) await makeStep(step);
}

async function makeStep(step: FileStep): Promise<void> {
  switch (step.make) {
    case "directory":
      return makeDirectory(step);
    case "file":
      return makeFile(step);
    case "link":
      return makeLink(step);
    case "more":
      return addToFile(step);
    case "rename":
      return rename(step.path, step.to);
    case "synced":
      return syncDirectory(step.path);
  }
}

type Step<Make extends FileStep["make"]> = Extract<FileStep, { make: Make }>;

async function makeDirectory({ path, mode, exact, known }: Step<"directory">): Promise<void> {
  try {
    await mkdir(path, { mode });
  } catch (error) {
    if (!known || (error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    return;
  }
  if (exact) await chmod(path, mode);
}

async function makeFile({ path, content, mode, exact, anew, synced }: Step<"file">): Promise<void> {
  const file = await named(path, anew, () => open(path, synced && !anew ? "w" : "wx", mode));
  try {
    await file.writeFile(content);
    if (exact) await file.chmod(mode);
    if (synced) await file.sync();
  } finally {
    await file.close();
  }
}

async function addToFile({ path, content, synced }: Step<"more">): Promise<void> {
  const file = await open(path, files.O_WRONLY | files.O_APPEND);
  try {
    await file.writeFile(content);
    if (synced) await file.sync();
  } finally {
    await file.close();
  }
}

async function makeLink({ path, to, anew }: Step<"link">): Promise<void> {
  await named(to, anew, () => linked(path, to));
}

async function linked(path: string, to: string): Promise<void> {
  try {
    await link(path, to);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT" || code === "EEXIST") throw error;
    // Not every file system has links, between directories, or so many of one file.
    await copyFile(path, to, files.COPYFILE_EXCL);
  }
}

/** There is next to never something of that name: to look first would cost a call each time. */
async function named<T>(path: string, anew: true | undefined, make: () => Promise<T>): Promise<T> {
  try {
    return await make();
  } catch (error) {
    if (!anew || (error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    await rm(path, { force: true });
    return make();
  }
}
