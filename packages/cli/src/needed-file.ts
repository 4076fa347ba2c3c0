import { readFile } from "node:fs/promises";
import { CliError } from "./cli-error.ts";

/** A file that an option names. Throws `CliError` `usage` that names both. */
export async function neededFile(file: string, option: string): Promise<string> {
  try {
    return await readFile(file, "utf8");
  } catch (error) {
    const missing = (error as NodeJS.ErrnoException).code === "ENOENT";
    const why = missing ? "there is no such file" : (error as Error).message;
    throw new CliError("usage", `${option}: cannot read ${file}: ${why}.`, { cause: error });
  }
}
