import { constants } from "node:fs";
import { open } from "node:fs/promises";
import { PluginError } from "../plugin-error.ts";

const { O_RDONLY, O_NOFOLLOW, O_NONBLOCK } = constants;

/**
 * What a file of a job's directory holds; `undefined`: there is none. The directory is the job's user's, who may have put
 * anything there: links are not followed, pipes not waited for. Throws `PluginError` `unavailable` when it cannot be read
 * now, `internal` with `what` when it is no file of at most `maxBytes`.
 */
export async function readPlainFile(
  path: string,
  what: string,
  maxBytes: number,
): Promise<string | undefined> {
  const isNone = (cause?: unknown): PluginError =>
    new PluginError(
      "internal",
      `${what} are no file of at most ${maxBytes} bytes; something else than the job has put them there.`,
      { cause },
    );
  try {
    const file = await open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
    try {
      const stat = await file.stat();
      if (!stat.isFile() || stat.size > maxBytes) throw isNone();
      return await file.readFile("utf8");
    } finally {
      await file.close();
    }
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT") return undefined;
    if (error instanceof PluginError) throw error;
    if (code === "ELOOP") throw isNone(error);
    throw new PluginError(
      "unavailable",
      `${what} cannot be read now (${code ?? "unknown error"}).`,
      { cause: error },
    );
  }
}
