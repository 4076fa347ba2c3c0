import { readFile } from "node:fs/promises";
import { CliError } from "./cli-error.ts";

/** A file that an option names. Throws `CliError` `usage` that names both. */
export async function neededFile(file: string, option: string): Promise<string> {
  try {
    return await readFile(file, "utf8");
  } catch (error) {
    throw new CliError("usage", `${option}: cannot read ${file}: ${whyUnread(error)}.`, {
      cause: error,
    });
  }
}

/** Why a file cannot be read, without a full stop. */
export function whyUnread(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  if (code === "ENOENT") return "there is no such file";
  if (code === "EISDIR") return "it is a directory; name a file in it";
  if (code === "EACCES") return "this user may not read it";
  return message;
}
