import { spawn } from "node:child_process";
import { once } from "node:events";
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { cacheFolder } from "./cache-folder.ts";
import { builtKubernetes, findKubernetes, KUBERNETES_PROGRAMS } from "./kubernetes-binaries.ts";
import { processLives } from "./process-lives.ts";
import { findProgram, runProgram } from "./programs.ts";

/** Debian 12 has the whole source of this release, with everything that it is built from. */
const CODENAME = "bookworm";
const KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg";
/** What the build needs, and the program that tells whether it is there. */
const PACKAGES = [
  { name: "golang-go", program: "/usr/lib/go/bin/go" },
  { name: "rsync", program: "/usr/bin/rsync" },
  { name: "jq", program: "/usr/bin/jq" },
  { name: "dpkg-dev", program: "/usr/bin/dpkg-source" },
];
const KUBECTL = "client/usr/bin/kubectl";
const DEADLINE_MS = 45 * 60_000;

/** Why this machine cannot build it; `undefined` if it can. */
function whyNoBuild(): string | undefined {
  const instead = "name a folder with a control plane in KUBEBUILDER_ASSETS instead";
  const release = existsSync("/etc/os-release") ? readFileSync("/etc/os-release", "utf8") : "";
  if (!release.includes(`VERSION_CODENAME=${CODENAME}`) || findProgram("apt-get") === undefined) {
    return `Building Kubernetes needs Debian 12 (${CODENAME}), whose archive has its source; ${instead}`;
  }
  if (process.getuid?.() !== 0 && missingPackages().length > 0) {
    return `Installing ${missingPackages().join(", ")} needs root; install them, or ${instead}`;
  }
  return undefined;
}

function missingPackages(): string[] {
  return PACKAGES.filter(({ program }) => !existsSync(program)).map(({ name }) => name);
}

/**
 * Builds the control plane from Debian's source package, in minutes, and leaves only its programs in the cache. Does
 * nothing when they are there. The machine's own package sources stay as they are, and no service is started.
 */
export async function buildKubernetes(say: (line: string) => void): Promise<void> {
  const why = whyNoBuild();
  if (existsSync(builtKubernetes())) {
    if (why === undefined) await addKubectl(say);
    return;
  }
  if (why !== undefined) throw new Error(why);
  removeAbandoned();
  const folder = mkdtempSync(join(cacheFolder("kubernetes"), `build-${process.pid}-`));
  try {
    const missing = missingPackages();
    if (missing.length > 0) await installPackages(missing, say);
    const env = { ...cleanEnvironment(folder), APT_CONFIG: await privateAptConfig(folder) };
    say("Fetching the source of Kubernetes and etcd");
    await run("apt-get", ["update", "-qq"], { cwd: folder, env });
    await run("apt-get", ["source", "-qq", "--download-only", "kubernetes"], { cwd: folder, env });
    await run("apt-get", ["download", "-qq", "etcd-server"], { cwd: folder, env });
    const tree = join(folder, "kubernetes");
    await run("dpkg-source", ["-x", only(folder, ".dsc"), tree], { cwd: folder, env });
    // Unpacked, not installed: an installed one would be started.
    await run("dpkg-deb", ["-x", only(folder, ".deb"), join(folder, "etcd")], {
      cwd: folder,
      env,
    });
    await fetchKubectl(folder, env);
    say("Building: about 5 minutes on two cores");
    await make(tree, env);
    // Debian's name of the architecture is Go's.
    const architecture = (await runProgram("dpkg", ["--print-architecture"])).toString().trim();
    keep(join(tree, "_output/local/bin/linux", architecture), folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  const { version } = await findKubernetes("");
  say(`Kubernetes ${version} is in ${builtKubernetes()}`);
}

/** For a control plane that was built before it had one. */
async function addKubectl(say: (line: string) => void): Promise<void> {
  const target = join(builtKubernetes(), "kubectl");
  if (existsSync(target)) return;
  const folder = mkdtempSync(join(cacheFolder("kubernetes"), `build-${process.pid}-`));
  try {
    say("Fetching the kubectl of that release");
    const env = { ...cleanEnvironment(folder), APT_CONFIG: await privateAptConfig(folder) };
    await run("apt-get", ["update", "-qq"], { cwd: folder, env });
    await fetchKubectl(folder, env);
    renameSync(join(folder, KUBECTL), target);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Debian's own build of it, into `KUBECTL` below the folder. */
async function fetchKubectl(folder: string, env: Record<string, string>): Promise<void> {
  const downloads = mkdtempSync(join(folder, "client-"));
  await run("apt-get", ["download", "-qq", "kubernetes-client"], { cwd: downloads, env });
  const target = join(folder, "client");
  await run("dpkg-deb", ["-x", only(downloads, ".deb"), target], { cwd: downloads, env });
}

/** What a build that was killed has left: gigabytes. */
function removeAbandoned(): void {
  const cache = cacheFolder("kubernetes");
  for (const name of readdirSync(cache)) {
    const [, pid] = /^build-(\d+)-/.exec(name) ?? [];
    if (pid !== undefined && !processLives(Number(pid))) {
      rmSync(join(cache, name), { recursive: true, force: true });
    }
  }
}

async function installPackages(names: string[], say: (line: string) => void): Promise<void> {
  say(`Installing ${names.join(", ")}`);
  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
  const options = { cwd: "/", env };
  // Another archive on the machine that does not answer is none of our business; a missing package is.
  await run("apt-get", ["update", "-qq"], options).catch(() => {});
  await run("apt-get", ["install", "-y", "-qq", "--no-install-recommends", ...names], options);
}

/** Package lists of our own, with source packages, from the mirror that this machine uses anyway. */
async function privateAptConfig(folder: string): Promise<string> {
  const wanted = [`Codename: ${CODENAME}`, "Component: main", "Identifier: Packages"];
  const format = ["indextargets", "--format", "$(REPO_URI)"];
  const found = (await runProgram("apt-get", [...format, ...wanted, "Origin: Debian"])).toString();
  const [mirror = ""] = found.split("\n");
  if (mirror === "") {
    throw new Error(`apt knows no Debian archive with ${CODENAME} main; run apt-get update first`);
  }
  const signed = existsSync(KEYRING) ? `[signed-by=${KEYRING}] ` : "";
  const lines = ["deb", "deb-src"].map((type) => `${type} ${signed}${mirror} ${CODENAME} main\n`);
  writeFileSync(join(folder, "sources.list"), lines.join(""));
  for (const name of ["lists/partial", "cache/archives/partial", "sources.list.d"]) {
    mkdirSync(join(folder, name), { recursive: true });
  }
  const config = join(folder, "apt.conf");
  writeFileSync(
    config,
    `Dir::Etc::SourceList "${join(folder, "sources.list")}";
Dir::Etc::SourceParts "${join(folder, "sources.list.d")}";
Dir::State::Lists "${join(folder, "lists")}";
Dir::Cache "${join(folder, "cache")}";
APT::Sandbox::User "";
`,
  );
  return config;
}

/** Nothing of a Go that the person may have of their own reaches the build. */
function cleanEnvironment(folder: string): Record<string, string> {
  const proxies = Object.entries(process.env).filter(([name]) => /_proxy$/i.test(name));
  return {
    ...(Object.fromEntries(proxies) as Record<string, string>),
    PATH: "/usr/lib/go/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    HOME: folder,
    LC_ALL: "C.UTF-8",
  };
}

async function make(tree: string, env: Record<string, string>): Promise<void> {
  mkdirSync(join(tree, ".go/src/k8s.io"), { recursive: true });
  symlinkSync("../../..", join(tree, ".go/src/k8s.io/kubernetes"));
  const programs = KUBERNETES_PROGRAMS.filter((name) => name !== "etcd");
  await run("make", [`WHAT=${programs.map((name) => `cmd/${name}`).join(" ")}`], {
    cwd: tree,
    env: {
      ...env,
      GOPATH: join(tree, ".go"),
      GO111MODULE: "off",
      CGO_ENABLED: "0",
      KUBE_GIT_VERSION: "v1.20.2",
      KUBE_GIT_TREE_STATE: "clean",
      KUBE_GIT_COMMIT: "debian",
      KUBE_GIT_MAJOR: "1",
      KUBE_GIT_MINOR: "20",
    },
  });
}

/** Whole or not at all, so that an interrupted build leaves nothing that looks finished. */
function keep(built: string, folder: string): void {
  const made = join(folder, "made");
  mkdirSync(made);
  for (const name of KUBERNETES_PROGRAMS) {
    const from = name === "etcd" ? join(folder, "etcd/usr/bin") : built;
    copyFileSync(join(from, name), join(made, name));
  }
  copyFileSync(join(folder, KUBECTL), join(made, "kubectl"));
  renameSync(made, builtKubernetes());
}

/** The one entry of a folder whose name ends so. */
function only(folder: string, end: string): string {
  const [name, ...more] = readdirSync(folder).filter((entry) => entry.endsWith(end));
  if (name === undefined || more.length > 0) {
    throw new Error(`There is not exactly one *${end} in ${folder}`);
  }
  return join(folder, name);
}

/** Runs a program in sight of the person. */
async function run(
  command: string,
  args: readonly string[],
  options: { cwd: string; env: NodeJS.ProcessEnv },
): Promise<void> {
  const child = spawn(command, args, {
    ...options,
    stdio: ["ignore", "inherit", "inherit"],
    signal: AbortSignal.timeout(DEADLINE_MS),
  });
  const [code, signal] = await once(child, "close");
  if (code !== 0) {
    throw new Error(`${command} ${args.join(" ")} ended with ${String(code ?? signal)}`);
  }
}
