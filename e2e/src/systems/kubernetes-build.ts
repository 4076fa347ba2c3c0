import { copyFileSync, existsSync, mkdirSync, renameSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { buildInCache, freshApt, unpackPackage } from "./build-in-cache.ts";
import { builtKubernetes, findKubernetes, KUBERNETES_PROGRAMS } from "./kubernetes-binaries.ts";
import { CODENAME, ensurePackages, isDebian12, missingPackages, only, run } from "./private-apt.ts";
import { runProgram } from "./programs.ts";

/** What the build needs, and the program that tells whether it is there. */
const PACKAGES = [
  { name: "golang-go", program: "/usr/lib/go/bin/go" },
  { name: "rsync", program: "/usr/bin/rsync" },
  { name: "jq", program: "/usr/bin/jq" },
  { name: "dpkg-dev", program: "/usr/bin/dpkg-source" },
];
const KUBECTL = "client/usr/bin/kubectl";

/** Why this machine cannot build it; `undefined` if it can. */
function whyNoBuild(): string | undefined {
  const instead = "name a folder with a control plane in KUBEBUILDER_ASSETS instead";
  if (!isDebian12()) {
    return `Building Kubernetes needs Debian 12 (${CODENAME}), whose archive has its source; ${instead}`;
  }
  if (process.getuid?.() !== 0 && missingPackages(PACKAGES).length > 0) {
    return `Installing ${missingPackages(PACKAGES).join(", ")} needs root; install them, or ${instead}`;
  }
  return undefined;
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
  await buildInCache("kubernetes", async (folder) => {
    await ensurePackages(PACKAGES, say);
    say("Fetching the source of Kubernetes and etcd");
    const env = await freshApt(folder);
    await run("apt-get", ["source", "-qq", "--download-only", "kubernetes"], { cwd: folder, env });
    const tree = join(folder, "kubernetes");
    await run("dpkg-source", ["-x", only(folder, ".dsc"), tree], { cwd: folder, env });
    // Unpacked, not installed: an installed one would be started.
    await unpackPackage("etcd-server", join(folder, "etcd"), folder, env);
    await fetchKubectl(folder, env);
    say("Building: about 5 minutes on two cores");
    await make(tree, env);
    // Debian's name of the architecture is Go's.
    const architecture = (await runProgram("dpkg", ["--print-architecture"])).toString().trim();
    keep(join(tree, "_output/local/bin/linux", architecture), folder);
  });
  const { version } = await findKubernetes("");
  say(`Kubernetes ${version} is in ${builtKubernetes()}`);
}

/** For a control plane that was built before it had one. */
async function addKubectl(say: (line: string) => void): Promise<void> {
  const target = join(builtKubernetes(), "kubectl");
  if (existsSync(target)) return;
  await buildInCache("kubernetes", async (folder) => {
    say("Fetching the kubectl of that release");
    await fetchKubectl(folder, await freshApt(folder));
    renameSync(join(folder, KUBECTL), target);
  });
}

/** Debian's own build of it, into `KUBECTL` below the folder. */
async function fetchKubectl(folder: string, env: Record<string, string>): Promise<void> {
  await unpackPackage("kubernetes-client", join(folder, "client"), folder, env);
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
