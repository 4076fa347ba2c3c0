import {
  chmodSync,
  cpSync,
  existsSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { cacheFolder } from "./cache-folder.ts";
import { busyboxTar } from "./images.ts";
import { findProgram, runProgram } from "./programs.ts";
import { PUBLIC_FOLDER, publicFolder } from "./public-folder.ts";

/** A real Apptainer that an ordinary user of this machine may run. Plain data: it crosses into the test workers. */
export interface ApptainerSystem {
  path: string;
  /** As in `1.4.5`. */
  version: string;
  /** A directory that it runs as an image: `sh` and the usual commands. */
  image: string;
}

/** Where what we built lies for everybody; its programs are made for this place. */
export const APPTAINER_FOLDER = join(PUBLIC_FOLDER, "apptainer");
/** File that differs between any two builds. */
export const APPTAINER_BUILD_ID = "build-id";

/** Where `npm run systems -- build apptainer` leaves it. */
export function builtApptainer(): string {
  return join(cacheFolder("apptainer"), "built");
}

/** The Apptainer of this machine, else what was built here before. Throws an error that says what to do. */
export async function findApptainer(): Promise<ApptainerSystem> {
  const path = findProgram("apptainer") ?? published();
  const told = (await runProgram(path, ["--version"])).toString().trim();
  const [, version] = /\b(\d+\.\d+\S*)/.exec(told) ?? [];
  if (version === undefined) throw new Error(`${path} --version says "${told}"`);
  return { path, version, image: await busyboxFolder() };
}

/** Made at the first need, for all tests, where an ordinary user reads it. */
async function busyboxFolder(): Promise<string> {
  const folder = join(PUBLIC_FOLDER, "busybox");
  if (existsSync(folder)) return folder;
  const made = publicFolder(`busybox.${process.pid}`);
  const archive = `${made}.tar`;
  try {
    writeFileSync(archive, await busyboxTar());
    await runProgram("tar", ["-C", made, "-xf", archive]);
    chmodSync(made, 0o755);
    renameSync(made, folder);
  } finally {
    for (const path of [made, archive]) rmSync(path, { recursive: true, force: true });
  }
  return folder;
}

/** Puts what was built where an ordinary user reaches it, and gives the program's path. */
function published(): string {
  const from = builtApptainer();
  if (!existsSync(from)) {
    throw new Error(
      "there is no apptainer on the PATH; npm run systems -- build apptainer makes one",
    );
  }
  if (process.getuid?.() !== 0) throw new Error("handing out what was built here needs root");
  if (buildId(APPTAINER_FOLDER) !== buildId(from)) {
    publicFolder();
    const made = `${APPTAINER_FOLDER}.${process.pid}`;
    rmSync(made, { recursive: true, force: true });
    cpSync(from, made, { recursive: true, verbatimSymlinks: true, preserveTimestamps: true });
    rmSync(APPTAINER_FOLDER, { recursive: true, force: true });
    renameSync(made, APPTAINER_FOLDER);
  }
  return join(APPTAINER_FOLDER, "usr/bin/apptainer");
}

function buildId(folder: string): string | undefined {
  const file = join(folder, APPTAINER_BUILD_ID);
  return existsSync(file) ? readFileSync(file, "utf8") : undefined;
}
