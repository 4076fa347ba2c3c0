import { readFile, rename, rm, writeFile } from "node:fs/promises";

/** Puts a secret into a file that only its owner can read; readers find the old one or the new one, never a part. */
export async function writeSecret(file: string, secret: string): Promise<void> {
  const temporary = `${file}.${process.pid}.new`;
  try {
    await writeFile(temporary, secret, { mode: 0o600 });
    await rename(temporary, file);
  } finally {
    await rm(temporary, { force: true });
  }
}

/** Without the white space around it; `undefined`: there is no such file, or nothing in it. */
export async function readSecret(file: string): Promise<string | undefined> {
  try {
    return (await readFile(file, "utf8")).trim() || undefined;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}
