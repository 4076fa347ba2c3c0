import { access, readdir } from "node:fs/promises";
import { join } from "node:path";
import { RuntimeError } from "@interlink/plugin-sdk";
import type { Logger } from "pino";
import type { ContainerFiles, ContainerInfo } from "./container-files.ts";
import { containerFiles, readInfo } from "./container-files.ts";

/**
 * Containers of an earlier life, in `jobs/<uid>/containers/<name>/<attempt>` below `root`. One without a complete
 * `container.json` was never made; one that cannot be read is left for a person to look at.
 */
export async function* findContainers(
  root: string,
  logger: Logger,
): AsyncGenerator<{ info: ContainerInfo; files: ContainerFiles }> {
  const jobs = join(root, "jobs");
  for (const uid of await entries(jobs)) {
    const containers = join(jobs, uid, "containers");
    for (const name of await entries(containers)) {
      for (const attempt of await entries(join(containers, name))) {
        const files = containerFiles(join(containers, name, attempt));
        try {
          const info = await readInfo(files);
          if (info?.uid === uid && info.container === name) yield { info, files };
        } catch (error) {
          logger.error(
            { err: error, uid, directory: files.directory },
            "a container is unreadable",
          );
        }
      }
    }
  }
}

/** Throws `RuntimeError` `Unavailable` if there is none. */
export async function findBash(): Promise<string> {
  const bash = await firstThere("/bin/bash", "/usr/bin/bash", "/usr/local/bin/bash");
  if (bash !== undefined) return bash;
  throw new RuntimeError("Unavailable", "The process plugin needs bash 4.2 or later; install it.");
}

/** `undefined` if there is none: then there are no terminals and no inputs. */
export async function findPerl(): Promise<string | undefined> {
  return firstThere("/usr/bin/perl", "/bin/perl", "/usr/local/bin/perl");
}

async function firstThere(...paths: readonly string[]): Promise<string | undefined> {
  for (const path of paths) {
    try {
      await access(path);
      return path;
    } catch {
      // The next one, then.
    }
  }
  return undefined;
}

async function entries(directory: string): Promise<string[]> {
  try {
    return await readdir(directory);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT" || code === "ENOTDIR") return [];
    throw error;
  }
}
