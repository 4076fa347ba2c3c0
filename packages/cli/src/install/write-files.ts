import { lstat, mkdir, rename, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { CliError } from "../cli-error.ts";
import type { InstallFile } from "./install-files.ts";

/**
 * Writes all files, or none: without `force` nothing that is there is touched, and `CliError` `usage` names it. Each file
 * is there whole or not at all, and with its mode from the beginning.
 */
export async function writeFiles(
  directory: string,
  files: readonly InstallFile[],
  force: boolean,
): Promise<void> {
  const there = force ? [] : await existing(files.map(({ path }) => join(directory, path)));
  if (there.length > 0) {
    throw new CliError(
      "usage",
      `${there.join(", ")}: there already. Give another --out, or --force to write new ones (with new secrets).`,
    );
  }
  for (const { path, content, mode } of files) {
    const file = join(directory, path);
    await mkdir(dirname(file), { recursive: true, mode: 0o700 });
    const temporary = `${file}.${process.pid}.new`;
    try {
      await writeFile(temporary, content, { mode, flag: "wx" });
      await rename(temporary, file);
    } finally {
      await rm(temporary, { force: true });
    }
  }
}

async function existing(files: readonly string[]): Promise<string[]> {
  const found = await Promise.all(
    files.map((file) =>
      lstat(file).then(
        () => [file],
        (error: NodeJS.ErrnoException) => {
          if (error.code === "ENOENT") return [];
          throw error;
        },
      ),
    ),
  );
  return found.flat();
}
