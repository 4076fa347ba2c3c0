import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { ContainerMount } from "@interlink/plugin-sdk";
import type { ContainerFiles } from "./container-files.ts";
import { containerFiles } from "./container-files.ts";
import { runProgram } from "./run-program.ts";

/** How a command gets into a mount namespace of its own, and how others get into it. */
export interface NamespaceTools {
  /** Words in front of `bash`, making the namespace. */
  unshare: readonly string[];
  /** Words in front of `<pid> -- command`, entering it. */
  nsenter: readonly string[];
}

const TOOL_ENVIRONMENT = { PATH: "/usr/sbin:/usr/bin:/sbin:/bin" };
const CANDIDATES: readonly NamespaceTools[] = [
  { unshare: ["unshare", "--mount"], nsenter: ["nsenter", "--mount", "--wd", "--target"] },
  {
    unshare: ["unshare", "--user", "--map-root-user", "--mount"],
    nsenter: ["nsenter", "--user", "--preserve-credentials", "--mount", "--wd", "--target"],
  },
];

/** Files for `enter-volumes.sh`. Parents come before children, so that a volume may lie in another one. */
export async function writeMounts(
  files: ContainerFiles,
  cwd: string,
  mounts: readonly ContainerMount[],
): Promise<void> {
  await mkdir(files.root, { recursive: true });
  const sorted = [...mounts].sort((a, b) => a.mountPath.length - b.mountPath.length);
  const words = sorted.flatMap(({ mountPath, hostPath, readOnly }) => [
    normalized(mountPath),
    hostPath,
    readOnly ? "ro" : "rw",
  ]);
  await writeFile(files.mounts, [cwd, ...words].map((word) => `${word}\0`).join(""), {
    mode: 0o600,
  });
}

/** Without mount namespaces: links to the volumes, below `directory` as their mount paths are below the root. */
export async function linkVolumes(
  directory: string,
  mounts: readonly ContainerMount[],
): Promise<void> {
  await mkdir(directory, { recursive: true });
  const linked: string[] = [];
  for (const { mountPath, hostPath } of [...mounts].sort(
    (a, b) => a.mountPath.length - b.mountPath.length,
  )) {
    const path = normalized(mountPath);
    // Inside another volume a link would have to be made in that volume.
    if (linked.some((parent) => `${path}/`.startsWith(`${parent}/`))) continue;
    linked.push(path);
    const link = join(directory, path);
    await mkdir(dirname(link), { recursive: true });
    await rm(link, { force: true });
    await symlink(hostPath, link);
  }
}

/** Try it out once: the tools that work here, `undefined` if none do (no privilege, no util-linux, no Linux). */
export async function probeNamespaces(
  bash: string,
  script: string,
  signal: AbortSignal,
): Promise<NamespaceTools | undefined> {
  const directory = await mkdtemp(join(tmpdir(), "interlink-probe-"));
  try {
    const files = containerFiles(directory);
    const volume = join(directory, "volume");
    await mkdir(volume);
    await writeFile(join(volume, "file"), "seen");
    const mounts = [
      { hostPath: volume, mountPath: "/interlink-probe/deep", readOnly: true },
      { hostPath: volume, mountPath: "/etc/interlink-probe", readOnly: false },
    ];
    await writeMounts(files, "/", mounts);
    for (const tools of CANDIDATES) {
      const command = ["cat", "/interlink-probe/deep/file", "/etc/interlink-probe/file"];
      const argv = [...tools.unshare, "--", bash, "-p", script, directory, ...command];
      const options = { env: TOOL_ENVIRONMENT, maxOutputBytes: 1024 };
      const { exitCode, output } = await runProgram(argv, options, signal);
      if (exitCode === 0 && output === "seenseen") return tools;
    }
    return undefined;
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

/** Without `//`, `.`, `..` and a `/` at the end. */
function normalized(path: string): string {
  return join("/", path).replace(/(.)\/$/, "$1");
}
