import { stat } from "node:fs/promises";
import type { Logger } from "pino";
import { CliError } from "./cli-error.ts";
import { neededFile } from "./needed-file.ts";

/** Throws `CliError` `usage` if every user of this machine may write the file: then they decide what this process does. */
export async function refuseWritable(file: string, what: string): Promise<void> {
  const found = await stat(file).catch(() => undefined);
  if (found?.isFile() === true && (found.mode & 0o002) !== 0) {
    throw new CliError(
      "usage",
      `${what}: every user of this machine may write ${file}. Take it back: chmod o-w ${file}.`,
    );
  }
}

/**
 * What is in a file that holds a secret. Throws like `neededFile` and `refuseWritable`; says it if every user of this machine may
 * read it.
 */
export async function secretFile(file: string, option: string, logger: Logger): Promise<string> {
  const text = await neededFile(file, option);
  await refuseWritable(file, option);
  const { mode } = await stat(file);
  if ((mode & 0o004) !== 0) {
    logger.warn(
      { file },
      `${option}: every user of this machine may read this secret: chmod o-r it`,
    );
  }
  return text;
}
