import { randomUUID } from "node:crypto";
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  renameSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import {
  APPTAINER_BUILD_ID,
  APPTAINER_FOLDER,
  builtApptainer,
  findApptainer,
} from "./apptainer-system.ts";
import { buildInCache, freshApt, unpackPackage } from "./build-in-cache.ts";
import { CODENAME, ensurePackages, isDebian12, only } from "./private-apt.ts";
import { runProgram } from "./programs.ts";

/** Debian 12 has no Apptainer; this one has, and it moves: whatever release of it is there is taken. */
const SUITE = "sid";
/** What the build needs, and what Apptainer runs, and the program that tells whether it is there. */
const PACKAGES = [
  { name: "patchelf", program: "/usr/bin/patchelf" },
  { name: "squashfs-tools", program: "/usr/bin/mksquashfs" },
  { name: "uidmap", program: "/usr/bin/newuidmap" },
];
/** With the libraries that are newer than this machine's, by package. */
const LIBRARIES: Readonly<Record<string, readonly RegExp[]>> = {
  libc6: [/^ld-linux-.*\.so\.\d$/, /^libc\.so\.6$/, /^libm\.so\.6$/],
  libseccomp2: [/^libseccomp\.so\.2$/],
  "libsqlite3-0": [/^libsqlite3\.so\.0$/],
};

/** Why this machine cannot build it; `undefined` if it can. */
function whyNoBuild(): string | undefined {
  if (!isDebian12() || process.getuid?.() !== 0) {
    return `Unpacking Apptainer needs root on Debian 12 (${CODENAME}); install one so that apptainer is on the PATH instead`;
  }
  return undefined;
}

/**
 * Unpacks Apptainer of a later Debian, with the C library that it was built for beside it, into the cache. Does nothing
 * when there is one. Nothing of it is installed: the machine's own C library and package sources stay as they are.
 */
export async function buildApptainer(say: (line: string) => void): Promise<void> {
  if (existsSync(builtApptainer())) return;
  const why = whyNoBuild();
  if (why !== undefined) throw new Error(why);
  await buildInCache("apptainer", async (folder) => {
    await ensurePackages(PACKAGES, say);
    say("Fetching Apptainer");
    const env = await freshApt(folder, SUITE);
    const tree = join(folder, "tree");
    await unpackPackage("apptainer", tree, folder, env);
    const libraries = join(tree, "lib");
    mkdirSync(libraries);
    for (const [name, wanted] of Object.entries(LIBRARIES)) {
      const unpacked = join(folder, `unpacked-${name}`);
      await unpackPackage(name, unpacked, folder, env);
      const from = architectureFolder(unpacked);
      for (const file of readdirSync(from).filter((one) => wanted.some((it) => it.test(one)))) {
        copyFileSync(join(from, file), join(libraries, file));
      }
    }
    await useOwnLibraries(tree);
    makeRelocatable(tree);
    writeFileSync(join(tree, APPTAINER_BUILD_ID), randomUUID());
    renameSync(tree, builtApptainer());
  });
  const { version } = await findApptainer();
  say(`Apptainer ${version} is in ${builtApptainer()}`);
}

/** `usr/lib/x86_64-linux-gnu`, or what this machine has instead. */
function architectureFolder(tree: string): string {
  return only(join(tree, "usr/lib"), "-linux-gnu");
}

/**
 * The programs name the place where they will lie, not where they are now. RPATH and not RUNPATH: it goes before
 * `LD_LIBRARY_PATH`, which Apptainer sets for the programs that it starts, itself among them.
 */
async function useOwnLibraries(tree: string): Promise<void> {
  const libraries = join(APPTAINER_FOLDER, "lib");
  const files = readdirSync(join(tree, "lib"));
  const loader = files.find((name) => name.startsWith("ld-linux-"));
  if (loader === undefined) throw new Error("The C library has no loader");
  const patch = (file: string, args: readonly string[]): Promise<unknown> =>
    runProgram("patchelf", [...args, "--force-rpath", "--set-rpath", libraries, file]);
  for (const name of files) {
    if (name !== loader && name !== "libc.so.6") await patch(join(tree, "lib", name), []);
  }
  for (const program of [
    join(tree, "usr/bin/apptainer"),
    join(architectureFolder(tree), "apptainer/bin/starter"),
  ]) {
    await patch(program, ["--set-interpreter", join(libraries, loader)]);
  }
}

/** Apptainer looks for its configuration in relation to its two programs when it does not lie where it was built for. */
function makeRelocatable(tree: string): void {
  for (const name of ["etc", "var"]) {
    renameSync(join(tree, name), join(tree, "usr", name));
    symlinkSync(`../${name}`, join(tree, "usr/lib", name));
  }
}
