import { PluginError } from "@interlink/plugin-sdk";
import type { Pod } from "kubernetes-types/core/v1.js";
import type { SlurmSettings } from "../config/slurm-config.ts";
import { checkFlags, readSbatchFlags, type SbatchFlag } from "../submit/sbatch-flags.ts";
import { shellWords } from "../submit/shell-words.ts";
import { splitMesh } from "./mesh.ts";

/** What a pod's annotations ask for. */
export interface PodWishes {
  flags: readonly SbatchFlag[];
  /** Name of a flavor. */
  flavor?: string;
  /** Instead of the site's; `""`: none. */
  imagePrefix?: string;
  /** Words for the runtime's command line. */
  runtimeOptions: readonly string[];
  /** Flags of the launcher of MPI; `undefined`: none is wanted. */
  mpiFlags?: readonly string[];
  /** Shell text for the compute node, in this order. */
  shell: readonly string[];
  /** A script that makes the pod's network and runs a command in it. */
  mesh?: string;
  /** Told to the job as `POD_IP`. */
  podIp?: string;
}

const PREFIX = "slurm-job.vk.io/";

/**
 * Reads the pod's annotations by the rules of shell words, expanding nothing. Throws `PluginError` `rejected` that names
 * the annotation.
 */
export function readAnnotations(
  pod: Pod,
  site: Pick<SlurmSettings, "runtime" | "forbiddenFlags" | "shellAnnotations" | "runtimeOptions">,
): PodWishes {
  const annotations = pod.metadata?.annotations ?? {};
  const read = <T>(name: string, parse: (text: string) => T): T | undefined => {
    const text = annotations[name];
    if (text === undefined) return undefined;
    try {
      return parse(text);
    } catch (error) {
      const why = (error as Error).message;
      throw new PluginError("rejected", `The annotation ${name} cannot be used: ${why}.`, {
        cause: error,
      });
    }
  };
  const flags = read(`${PREFIX}flags`, (text) => {
    const given = readSbatchFlags(shellWords(text));
    checkFlags(given, "pod", site.forbiddenFlags);
    return given;
  });
  const { kind } = site.runtime;
  const words = (name: string) =>
    read(name, (text) => {
      const given = shellWords(text);
      if (given.length > 0 && !site.runtimeOptions) {
        throw new Error(
          "this site does not let pods add options to the runtime's command line (AllowRuntimeOptions)",
        );
      }
      return given;
    }) ?? [];
  const shell = (name: string) =>
    read(name, (text) => {
      if (text.trim() === "") return [];
      if (!site.shellAnnotations) {
        throw new Error(
          "this site does not let pods run shell text outside of their containers (AllowShellAnnotations)",
        );
      }
      return [text];
    }) ?? [];
  const flavor = annotations[`${PREFIX}flavor`];
  const imagePrefix = annotations[`${PREFIX}image-root`];
  const mpiFlags = read(`${PREFIX}mpi-flags`, (text) =>
    text.trim() === "true" ? [] : shellWords(text),
  );
  const podIp = read("interlink.eu/pod-ip", (text) => {
    const address = text.trim();
    if (!/^[0-9A-Fa-f.:]*$/.test(address)) throw new Error("it is not an address");
    return address;
  });
  const preExec = shell(`${PREFIX}pre-exec`).map(splitMesh);
  const mesh = preExec[0]?.mesh;
  return {
    flags: flags ?? [],
    ...(flavor && { flavor }),
    ...(imagePrefix !== undefined && { imagePrefix }),
    runtimeOptions: [...words(`${PREFIX}${kind}-mounts`), ...words(`${PREFIX}${kind}-options`)],
    ...(mpiFlags !== undefined && { mpiFlags }),
    shell: [
      ...shell("interlink.eu/wstunnel-client-commands"),
      ...preExec.flatMap(({ rest }) => (rest.trim() === "" ? [] : [rest])),
    ],
    ...(mesh !== undefined && { mesh }),
    ...(podIp && { podIp }),
  };
}

/** The launcher of MPI for these flags of sbatch: as many processes as the job has tasks. */
export function mpiLauncher(
  mpiFlags: readonly string[] | undefined,
  flags: readonly SbatchFlag[],
): string[] {
  if (mpiFlags === undefined) return [];
  const count = (name: string): number => {
    const value = flags.find((flag) => flag.name === name)?.value ?? "";
    return /^\d+$/.test(value) ? Number(value) : 0;
  };
  const perNode = count("ntasks-per-node");
  const tasks = count("ntasks") || (perNode > 0 ? perNode * Math.max(1, count("nodes")) : 0);
  return ["mpiexec", "-np", String(Math.max(tasks, count("nodes"), 1)), ...mpiFlags];
}
