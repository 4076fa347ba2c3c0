import {
  type BatchPod,
  type BatchRuntime,
  PluginError,
  planBatchPod,
  traceOf,
  traceVariables,
} from "@interlink/plugin-sdk";
import type { RetrievedPodData } from "@interlink/protocol";
import type { Pod } from "kubernetes-types/core/v1.js";
import { chooseFlavor, countGpus, gpuCount } from "../config/flavor.ts";
import type { SlurmSettings } from "../config/slurm-config.ts";
import { jobUser } from "../config/user-ids.ts";
import { apptainerRuntime } from "../runtime/apptainer-runtime.ts";
import { enrootPodName, enrootRuntime } from "../runtime/enroot-runtime.ts";
import { imagesToPull, type PullBefore } from "../runtime/pull-before.ts";
import type { PodRuntimeOptions } from "../runtime/runtime-options.ts";
import { scriptRuntime } from "../runtime/script-runtime.ts";
import { podResources } from "../submit/pod-resources.ts";
import { jobFlags } from "../submit/sbatch-arguments.ts";
import type { SbatchFlag } from "../submit/sbatch-flags.ts";
import { shellQuoted } from "../submit/shell-words.ts";
import { mpiLauncher, type PodWishes, readAnnotations } from "./annotations.ts";
import { jobScript } from "./job-script.ts";
import {
  siteDirectory,
  withoutPodData,
  withoutProbes,
  withReadOnlyMounts,
} from "./site-volumes.ts";

/** A pod as a Slurm job, ready to be written down and submitted. */
export interface PlannedJob {
  flags: readonly SbatchFlag[];
  batchPod: BatchPod;
  /** Text of the job's script, without what is packed behind it. */
  script: string;
  /** As whom it runs; `undefined`: as the plugin's own user. */
  uid?: number;
  /** Images to pull here before it may begin; the job is held until then. */
  pulls: readonly PullBefore[];
  /** Sentences for the pod's owner, told as events. */
  warnings: readonly string[];
}

/**
 * Everything that a pod's job is made of. Pure. Throws `PluginError`: `invalid` for a pod that is not sound, `rejected` in
 * words for its owner for one that this site does not run.
 */
export function planJob(options: {
  data: RetrievedPodData;
  settings: SlurmSettings;
  /** The SDK's script, text. */
  batchScript: string;
  /** User id of this process. */
  ownUid: number;
}): PlannedJob {
  const { data, settings, batchScript, ownUid } = options;
  const { uid: podUid, name, namespace } = data.pod.metadata ?? {};
  if (!podUid || !name || !namespace) {
    throw new PluginError("invalid", "The pod has no metadata.uid, metadata.name or namespace.");
  }
  const { pod, directories } = sitePod(data.pod, namespace, settings);
  const wishes = readAnnotations(pod, settings);
  const resources = podResources(pod);
  const own = settings.namespaces.get(namespace);
  const fallback = own?.flavor ?? settings.defaultFlavor;
  const { flavor, unknown } = chooseFlavor({
    flavors: settings.flavors,
    gpus: countGpus(resources.extended),
    ...(wishes.flavor !== undefined && { named: wishes.flavor }),
    ...(fallback !== undefined && { fallback }),
  });
  const { activeDeadlineSeconds } = pod.spec ?? {};
  const flags = jobFlags({
    resources,
    ...(flavor && { flavor }),
    flags: wishes.flags,
    fixed: own?.fixed ?? [],
    gres: settings.gres,
    tmpDisk: settings.tmpDisk,
    ...(activeDeadlineSeconds !== undefined && { activeDeadlineSeconds }),
  });
  const uid = jobUser({
    pod,
    allowed: settings.allowedUids,
    ownUid,
    ...(flavor?.uid !== undefined && { flavorUid: flavor.uid }),
    ...(settings.defaultUid !== undefined && { defaultUid: settings.defaultUid }),
  });
  const isVendor = (vendor: string) =>
    [...resources.extended.keys()].some((resource) => resource.startsWith(`${vendor}.com/`));
  const runtimeOptions = podRuntime(settings, wishes, flags, isVendor("amd"));
  const isEnroot = settings.runtime.kind === "enroot";
  const batchPod = planBatchPod({
    data: { ...data, pod },
    runtime:
      siteScript(data, settings) ??
      (isEnroot ? enrootRuntime(runtimeOptions, podUid) : apptainerRuntime(runtimeOptions)),
    hostVolume: (volume) => directories.get(volume),
  });
  return {
    flags,
    batchPod,
    script: jobScript({
      bash: settings.bash,
      script: batchScript,
      shell: [...(settings.commandPrefix === "" ? [] : [settings.commandPrefix]), ...wishes.shell],
      ...(wishes.podIp !== undefined && { podIp: wishes.podIp }),
      variables: traceVariables(traceOf(data.pod)),
      ...(settings.tunnel && { tunnel: settings.tunnel }),
      ...(wishes.mesh !== undefined && { mesh: wishes.mesh }),
      cleanUp: isEnroot ? rootFileSystems(podUid, settings) : [],
    }),
    ...(uid !== undefined && uid !== ownUid && { uid }),
    pulls:
      settings.pullsBefore && !data.jobScript
        ? imagesToPull(pod, settings.runtime, runtimeOptions.imagePrefix)
        : [],
    warnings:
      unknown === undefined
        ? []
        : [
            `There is no flavor "${unknown}" at this site; ${flavor === undefined ? "none" : `"${flavor.name}"`} is used.`,
          ],
  };
}

/** What runs a pod for which the API server has made a script. */
function siteScript(
  { pod, jobScript: script }: RetrievedPodData,
  { bash, shellAnnotations }: SlurmSettings,
): BatchRuntime | undefined {
  const owner = pod.spec?.containers[0]?.name;
  if (!script || owner === undefined) return undefined;
  return scriptRuntime({ script, owner, bash, takesCommands: shellAnnotations });
}

/** The pod as this site runs it, and the directories of the volumes that it provides. */
function sitePod(
  asked: Pod,
  namespace: string,
  settings: SlurmSettings,
): { pod: Pod; directories: ReadonlyMap<string, string> } {
  let pod = settings.probes ? asked : withoutProbes(asked);
  if (!settings.exportPodData) pod = withoutPodData(pod);
  const directories = new Map<string, string>();
  const readOnly = new Set<string>();
  for (const volume of pod.spec?.volumes ?? []) {
    const provided = siteDirectory(volume, namespace, settings);
    if (provided === undefined) continue;
    directories.set(volume.name, provided.path);
    if (provided.readOnly) readOnly.add(volume.name);
  }
  return { pod: withReadOnlyMounts(pod, readOnly), directories };
}

function podRuntime(
  { runtime, imagePrefix, pullsBefore, bash, tunnel }: SlurmSettings,
  wishes: PodWishes,
  flags: readonly SbatchFlag[],
  isAmd: boolean,
): PodRuntimeOptions {
  return {
    command: [...runtime.prefix, runtime.path],
    defaultOptions: runtime.defaultOptions,
    podOptions: wishes.runtimeOptions,
    imagePrefix: wishes.imagePrefix ?? imagePrefix,
    ...(runtime.imageCache !== undefined && { imageCache: runtime.imageCache }),
    pullsBefore,
    bash,
    ...(tunnel?.library !== undefined && { tunnelLibrary: tunnel.library }),
    launcher: mpiLauncher(wishes.mpiFlags, flags),
    // Options of sbatch alone give GPUs to all containers, as nobody says to which.
    gpus: isAmd || (gpuCount(flags) ?? 0) === 0 ? "none" : "nvidia",
  };
}

/** enroot keeps root file systems until someone removes them. Updates bring other images, so they are found by their names. */
function rootFileSystems(uid: string, { runtime }: SlurmSettings): string[] {
  if (!/^[A-Za-z0-9._-]+$/.test(uid)) {
    throw new PluginError("invalid", "The pod's metadata.uid is none that Kubernetes makes.");
  }
  const enroot = [...runtime.prefix, runtime.path].map(shellQuoted).join(" ");
  const remove = `case $il_root in ${enrootPodName(uid)}-*) ${enroot} remove -f "$il_root" ;; esac`;
  return [`for il_root in $(${enroot} list); do ${remove}; done`];
}
