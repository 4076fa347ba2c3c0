import { allContainers, type RetrievedPodData } from "@interlink/protocol";
import type { Pod, Volume } from "kubernetes-types/core/v1.js";
import { safeSegment } from "../jobs/job-paths.ts";
import { PluginError } from "../plugin-error.ts";
import { memoryVolumeBytes } from "./memory-size.ts";
import type { PlannedFile, VolumeFiles } from "./payload.ts";
import {
  addSelected,
  checkTree,
  configMapContents,
  DEFAULT_MODE,
  secretContents,
} from "./payload.ts";
import type { PodObjects } from "./pod-objects.ts";
import { podObjects } from "./pod-objects.ts";
import { missingConfigKey, missingSecretKey, projectedFiles } from "./projected.ts";

/** What has to be done for one volume. `name` is a safe name for a directory. */
export type PlannedVolume =
  | { name: string; kind: "files"; files: PlannedFile[] }
  | { name: string; kind: "emptyDir"; memory: boolean; sizeBytes?: number }
  /** A plugin's own matter; `source` is its key in the pod, e.g. `hostPath`. */
  | { name: string; kind: "other"; source: string; volume: Volume };

/**
 * What the pod's volumes must hold, for those that a container mounts (others have no content here, and need none).
 * Throws `PluginError` `rejected` in the kubelet's words for a missing object or key.
 */
export function planVolumes(data: RetrievedPodData): PlannedVolume[] {
  const objects = podObjects(data);
  const mounted = mountedVolumes(data.pod);
  return (data.pod.spec?.volumes ?? [])
    .filter(({ name }) => mounted.has(name))
    .map((volume) => planVolume(volume, data.pod, objects));
}

function planVolume(volume: Volume, pod: Pod, objects: PodObjects): PlannedVolume {
  const name = safeSegment("volume name", volume.name);
  const files = volumeFiles(volume, pod, objects);
  if (files !== undefined) {
    checkTree(name, files);
    return { name, kind: "files", files: [...files.values()] };
  }
  const source = Object.keys(volume).find((key) => key !== "name") ?? "emptyDir";
  const medium = volume.emptyDir?.medium ?? "";
  if (source !== "emptyDir" || (medium !== "" && medium !== "Memory")) {
    return { name, kind: "other", source, volume };
  }
  const sizeBytes = memoryVolumeBytes(pod, volume.emptyDir?.sizeLimit);
  return {
    name,
    kind: "emptyDir",
    memory: medium === "Memory",
    ...(medium === "Memory" && sizeBytes !== undefined && { sizeBytes }),
  };
}

/** `undefined` for kinds of volume that do not consist of given files. */
function volumeFiles(volume: Volume, pod: Pod, objects: PodObjects): VolumeFiles | undefined {
  const { name, configMap, secret, projected, downwardAPI } = volume;
  const files: VolumeFiles = new Map();
  if (configMap) {
    const { name: wanted = "", items, defaultMode, optional } = configMap;
    const object = objects.configMaps.get(wanted);
    if (object === undefined) return absent("configmap", wanted, optional);
    const selection = { volume: name, items, defaultMode, optional };
    addSelected(files, configMapContents(object), selection, missingConfigKey);
    return files;
  }
  if (secret) {
    const { secretName: wanted = "", items, defaultMode, optional } = secret;
    const object = objects.secrets.get(wanted);
    if (object === undefined) return absent("secret", wanted, optional);
    const selection = { volume: name, items, defaultMode, optional };
    addSelected(files, secretContents(object), selection, missingSecretKey);
    return files;
  }
  if (projected) return projectedFiles(name, projected, pod, objects);
  if (downwardAPI) {
    const { defaultMode, items } = downwardAPI;
    const source = {
      sources: [{ downwardAPI: { items: items ?? [] } }],
      defaultMode: defaultMode ?? DEFAULT_MODE,
    };
    return projectedFiles(name, source, pod, objects);
  }
  return undefined;
}

function absent(kind: string, name: string, optional: boolean | undefined): VolumeFiles {
  if (optional === true) return new Map();
  throw new PluginError("rejected", `${kind} "${name}" not found`);
}

/** Names of the volumes that some container mounts. */
export function mountedVolumes(pod: Pod): Set<string> {
  return new Set(
    allContainers(pod)
      .flatMap(({ volumeMounts }) => volumeMounts ?? [])
      .map((m) => m.name),
  );
}
