import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { cacheFolder } from "./cache-folder.ts";
import { cleanEnvironment, only, privateAptConfig, run } from "./private-apt.ts";
import { processLives } from "./process-lives.ts";

/**
 * Makes something in a new folder of the cache. What is to stay must be renamed into its place in one step; the folder
 * goes, with what builds that were killed have left beside it.
 */
export async function buildInCache(
  below: string,
  build: (folder: string) => Promise<void>,
): Promise<void> {
  removeAbandonedBuilds(below);
  const folder = mkdtempSync(join(cacheFolder(below), `build-${process.pid}-`));
  try {
    await build(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The environment of an apt that has package lists of its own, just fetched, below `folder`. */
export async function freshApt(folder: string, suite?: string): Promise<Record<string, string>> {
  const env = { ...cleanEnvironment(folder), APT_CONFIG: await privateAptConfig(folder, suite) };
  await run("apt-get", ["update", "-qq"], { cwd: folder, env });
  return env;
}

/** Fetches a package by the environment of {@link freshApt} and unpacks it. Nothing of it is installed. */
export async function unpackPackage(
  name: string,
  target: string,
  folder: string,
  env: Record<string, string>,
): Promise<void> {
  const downloads = mkdtempSync(join(folder, "package-"));
  await run("apt-get", ["download", "-qq", name], { cwd: downloads, env });
  await run("dpkg-deb", ["-x", only(downloads, ".deb"), target], { cwd: downloads, env });
}

function removeAbandonedBuilds(below: string): void {
  const cache = cacheFolder(below);
  for (const name of readdirSync(cache)) {
    const [, pid] = /^build-(\d+)-/.exec(name) ?? [];
    if (pid !== undefined && !processLives(Number(pid))) {
      rmSync(join(cache, name), { recursive: true, force: true });
    }
  }
}
