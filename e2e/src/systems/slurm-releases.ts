import { cpSync, existsSync, readFileSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { cacheFolder } from "./cache-folder.ts";
import { PUBLIC_FOLDER, publicFolder } from "./public-folder.ts";

/** Releases of Debian whose Slurm is newer than this machine's: the next stable one, and the newest that there is. */
export const SLURM_SUITES = ["trixie", "sid"] as const;
export type SlurmSuite = (typeof SLURM_SUITES)[number];

/** File that differs between any two builds. */
export const SLURM_BUILD_ID = "build-id";
/** File with the version, as in `24.11.5`. */
export const SLURM_VERSION = "version";

/** A whole Slurm beside this machine's own. Plain data: it crosses into the test workers. */
export interface SlurmRelease {
  /** With `bin` and `plugins`. */
  folder: string;
  /** As in `24.11.5`. */
  version: string;
}

/** Where a release lies for everybody; its programs are made for this place. */
export function slurmReleaseFolder(suite: SlurmSuite): string {
  return join(PUBLIC_FOLDER, `slurm-of-${suite}`);
}

/** Where `npm run systems -- build slurm` leaves it. */
export function builtSlurm(suite: SlurmSuite): string {
  return join(cacheFolder(`slurm-of-${suite}`), "built");
}

/** Those that were built here, put where an ordinary user reaches them. Throws an error that says what to do. */
export function findSlurmReleases(): SlurmRelease[] {
  if (process.getuid?.() !== 0) throw new Error("handing out what was built here needs root");
  const built = SLURM_SUITES.filter((suite) => existsSync(builtSlurm(suite)));
  if (built.length === 0) throw new Error("npm run systems -- build slurm unpacks some");
  return built.map((suite) => {
    const [from, folder] = [builtSlurm(suite), slurmReleaseFolder(suite)];
    if (read(folder, SLURM_BUILD_ID) !== read(from, SLURM_BUILD_ID)) publish(from, folder);
    return { folder, version: read(folder, SLURM_VERSION) ?? suite };
  });
}

function publish(from: string, folder: string): void {
  publicFolder();
  const made = `${folder}.${process.pid}`;
  rmSync(made, { recursive: true, force: true });
  cpSync(from, made, { recursive: true, verbatimSymlinks: true, preserveTimestamps: true });
  rmSync(folder, { recursive: true, force: true });
  renameSync(made, folder);
}

function read(folder: string, name: string): string | undefined {
  const file = join(folder, name);
  return existsSync(file) ? readFileSync(file, "utf8").trim() : undefined;
}
