import { accessSync, constants, existsSync } from "node:fs";
import { join } from "node:path";
import { cacheFolder } from "./cache-folder.ts";
import { runProgram } from "./programs.ts";

/** What a control plane consists of, as files of one folder. */
export const KUBERNETES_PROGRAMS = [
  "etcd",
  "kube-apiserver",
  "kube-controller-manager",
  "kube-scheduler",
] as const;

/** The programs of a real Kubernetes control plane on this machine. Plain data: it crosses into the test workers. */
export interface KubernetesSystem {
  /** Holds every one of {@link KUBERNETES_PROGRAMS}. */
  folder: string;
  /** As in `1.20`. */
  minorVersion: number;
  /** As in `v1.20.2`. */
  version: string;
  /** Its kubectl, which is as old as it is; there may be none. */
  kubectl?: string;
}

/** Where `npm run systems -- build kubernetes` leaves the programs. */
export function builtKubernetes(): string {
  return join(cacheFolder("kubernetes"), "v1.20.2");
}

/**
 * The folder that `KUBEBUILDER_ASSETS` names, by the convention for "use the programs that are already here"; else what
 * was built here before. Never a mixture of both, which would be a mixture of versions. Throws an error that says what
 * is missing.
 */
export async function findKubernetes(
  assets = process.env["KUBEBUILDER_ASSETS"],
): Promise<KubernetesSystem> {
  const given = assets !== undefined && assets !== "";
  const folder = given ? assets : builtKubernetes();
  if (!given && !existsSync(folder)) {
    throw new Error(
      "there is no Kubernetes control plane; npm run systems -- build kubernetes makes one, or KUBEBUILDER_ASSETS names a folder with one",
    );
  }
  const missing = KUBERNETES_PROGRAMS.filter((name) => !isExecutable(join(folder, name)));
  if (missing.length > 0) {
    throw new Error(`${given ? "KUBEBUILDER_ASSETS, " : ""}${folder} has no ${missing.join(", ")}`);
  }
  const told = (await runProgram(join(folder, "kube-apiserver"), ["--version"])).toString();
  const [, version, minor] = /\b(v1\.(\d+)\.\S+)/.exec(told) ?? [];
  if (version === undefined) throw new Error(`kube-apiserver --version says "${told.trim()}"`);
  const kubectl = join(folder, "kubectl");
  return {
    folder,
    version,
    minorVersion: Number(minor),
    ...(isExecutable(kubectl) ? { kubectl } : {}),
  };
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
