import { randomUUID } from "node:crypto";
import {
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  renameSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { buildInCache } from "./build-in-cache.ts";
import {
  CODENAME,
  cleanEnvironment,
  ensurePackages,
  isDebian12,
  privateAptConfig,
  run,
} from "./private-apt.ts";
import { runProgram } from "./programs.ts";
import {
  builtSlurm,
  SLURM_BUILD_ID,
  SLURM_SUITES,
  SLURM_VERSION,
  type SlurmSuite,
  slurmReleaseFolder,
} from "./slurm-releases.ts";

const PATCHELF = [{ name: "patchelf", program: "/usr/bin/patchelf" }];
/** Of Debian; what they depend on comes with them. */
const PACKAGES = [
  "slurmctld",
  "slurmd",
  "slurmdbd",
  "slurm-client",
  "slurm-wlm-basic-plugins",
  "slurm-wlm-mysql-plugin",
  "munge",
];
/** Programs of ours by name, and where Debian has them. */
const PROGRAMS: Readonly<Record<string, string>> = {
  sbatch: "usr/bin/sbatch",
  squeue: "usr/bin/squeue",
  scancel: "usr/bin/scancel",
  scontrol: "usr/bin/scontrol",
  sinfo: "usr/bin/sinfo",
  sacct: "usr/bin/sacct",
  sacctmgr: "usr/bin/sacctmgr",
  srun: "usr/bin/srun",
  sstat: "usr/bin/sstat",
  slurmctld: "usr/sbin/slurmctld-wlm",
  slurmdbd: "usr/sbin/slurmdbd",
  slurmd: "usr/sbin/slurmd-wlm",
  slurmstepd: "usr/sbin/slurmstepd-wlm",
};

/**
 * Unpacks the Slurms of later Debians, each with all libraries that it was built for beside it, into the cache. Does
 * nothing for those that are there. Nothing of them is installed.
 */
export async function buildSlurmReleases(say: (line: string) => void): Promise<void> {
  for (const suite of SLURM_SUITES) {
    if (!existsSync(builtSlurm(suite))) await buildSlurm(suite, say);
  }
}

async function buildSlurm(suite: SlurmSuite, say: (line: string) => void): Promise<void> {
  if (!isDebian12() || process.getuid?.() !== 0) {
    throw new Error(`Unpacking other releases of Slurm needs root on Debian 12 (${CODENAME})`);
  }
  await buildInCache(`slurm-of-${suite}`, async (folder) => {
    await ensurePackages(PATCHELF, say);
    say(`Fetching the Slurm of Debian ${suite}`);
    const unpacked = await unpack(suite, folder);
    const tree = join(folder, "tree");
    const [triplet = ""] = readdirSync(join(unpacked, "usr/lib")).filter((name) =>
      name.endsWith("-linux-gnu"),
    );
    const libraries = join(unpacked, "usr/lib", triplet);
    for (const name of ["bin", "lib"]) mkdirSync(join(tree, name), { recursive: true });
    cpSync(join(libraries, "slurm-wlm"), join(tree, "plugins"), { recursive: true });
    for (const [name, from] of Object.entries(PROGRAMS)) {
      copyFileSync(join(unpacked, from), join(tree, "bin", name));
    }
    await copyLibraries(tree, libraries);
    await useOwnLibraries(tree, slurmReleaseFolder(suite));
    const version = await versionOf(unpacked);
    writeFileSync(join(tree, SLURM_VERSION), `${version}\n`);
    writeFileSync(join(tree, SLURM_BUILD_ID), randomUUID());
    renameSync(tree, builtSlurm(suite));
    say(`Slurm ${version} is in ${builtSlurm(suite)}`);
  });
}

/** All packages that Slurm needs, as if this machine had none, in one tree. */
async function unpack(suite: SlurmSuite, folder: string): Promise<string> {
  const env = { ...cleanEnvironment(folder), APT_CONFIG: await privateAptConfig(folder, suite) };
  const status = join(folder, "status");
  writeFileSync(status, "");
  const options = ["-qq", "-o", `Dir::State::status=${status}`];
  await run("apt-get", ["update", ...options], { cwd: folder, env });
  const fetch = ["install", "--yes", "--no-install-recommends", "--download-only", ...options];
  await run("apt-get", [...fetch, ...PACKAGES], { cwd: folder, env });
  const archives = join(folder, "cache/archives");
  const unpacked = join(folder, "unpacked");
  for (const name of readdirSync(archives).filter((file) => file.endsWith(".deb"))) {
    await runProgram("dpkg-deb", ["-x", join(archives, name), unpacked]);
  }
  return unpacked;
}

/** What the programs and plugins need, and what that needs. */
async function copyLibraries(tree: string, from: string): Promise<void> {
  const files = (name: string): string[] =>
    readdirSync(join(tree, name)).map((file) => join(tree, name, file));
  const todo = [...files("bin"), ...files("plugins").filter((file) => file.includes(".so"))];
  const seen = new Set<string>();
  // Loaded by name at run time: users are looked up with these.
  for (const name of readdirSync(from).filter((file) => /^libnss_.*\.so\.2$/.test(file))) {
    copyFileSync(join(from, name), join(tree, "lib", name));
  }
  for (let file = todo.pop(); file !== undefined; file = todo.pop()) {
    const needed = (await runProgram("patchelf", ["--print-needed", file])).toString();
    for (const name of needed.split("\n")) {
      if (name === "" || seen.has(name)) continue;
      seen.add(name);
      const [source, target] = [join(from, name), join(tree, "lib", name)];
      if (!existsSync(source) || existsSync(join(tree, "plugins", name))) continue;
      copyFileSync(source, target);
      todo.push(target);
    }
  }
}

/**
 * The programs name the place where they will lie, not where they are now. RPATH and not RUNPATH, as it counts for what
 * plugins need, too.
 */
async function useOwnLibraries(tree: string, place: string): Promise<void> {
  const path = ["lib", "plugins"].map((name) => join(place, name)).join(":");
  const patch = (file: string, args: readonly string[] = []): Promise<unknown> =>
    runProgram("patchelf", [...args, "--force-rpath", "--set-rpath", path, file]);
  const loader = readdirSync(join(tree, "lib")).find((name) => name.startsWith("ld-linux-"));
  if (loader === undefined) throw new Error("The C library has no loader");
  for (const folder of ["lib", "plugins"]) {
    for (const name of readdirSync(join(tree, folder)).filter((file) => file.includes(".so"))) {
      if (name !== loader && name !== "libc.so.6") await patch(join(tree, folder, name));
    }
  }
  for (const name of Object.keys(PROGRAMS)) {
    const interpreter = ["--set-interpreter", join(place, "lib", loader)];
    await patch(join(tree, "bin", name), interpreter);
  }
}

async function versionOf(unpacked: string): Promise<string> {
  const archives = join(unpacked, "../cache/archives");
  const file = readdirSync(archives).find((name) => /^slurmctld_.*\.deb$/.test(name)) ?? "";
  const told = await runProgram("dpkg-deb", ["--field", join(archives, file), "Version"]);
  return told.toString().trim().replace(/-.*$/, "");
}
