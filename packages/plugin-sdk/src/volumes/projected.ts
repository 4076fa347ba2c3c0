import type {
  ConfigMap,
  DownwardAPIVolumeFile,
  Pod,
  ProjectedVolumeSource,
  VolumeProjection,
} from "kubernetes-types/core/v1.js";
import { PluginError } from "../plugin-error.ts";
import { fieldRefValue, resourceValue } from "../resolve/field-ref.ts";
import type { VolumeFiles } from "./payload.ts";
import {
  addFile,
  addSelected,
  configMapContents,
  DEFAULT_MODE,
  secretContents,
} from "./payload.ts";
import type { PodObjects } from "./pod-objects.ts";
import { type TokenAccess, tokenAccess } from "./token-access.ts";
import { volumePath } from "./volume-path.ts";

/** The service-account volume that Kubernetes adds to nearly every pod. */
const API_ACCESS_PREFIX = "kube-api-access-";

/**
 * The files of a projected (or downwardAPI) volume: as the virtual node resolved them, with the modes that the pod's
 * sources ask for; without its word, whatever the pod and the objects that came along tell.
 */
export function projectedFiles(
  volume: string,
  source: ProjectedVolumeSource,
  pod: Pod,
  objects: PodObjects,
): VolumeFiles {
  const resolved = objects.projected.get(volume);
  return resolved === undefined
    ? filesFromSources(volume, source, pod, objects)
    : filesFromMap(volume, source, resolved, tokenAccess(pod));
}

function filesFromMap(
  volume: string,
  source: ProjectedVolumeSource,
  resolved: ConfigMap,
  access: TokenAccess,
): VolumeFiles {
  const modes = itemModes(volume, source);
  const tokens = tokenPaths(volume, source);
  const files: VolumeFiles = new Map();
  for (const [path, content] of configMapContents(resolved)) {
    const clean = volumePath(volume, path);
    const mode = modes.get(clean) ?? source.defaultMode ?? DEFAULT_MODE;
    if (tokens.has(clean)) addFile(files, volume, path, content, access.mode ?? mode, access.uid);
    else addFile(files, volume, path, content, mode);
  }
  return files;
}

function tokenPaths(volume: string, { sources }: ProjectedVolumeSource): Set<string> {
  const paths = (sources ?? []).flatMap(({ serviceAccountToken }) =>
    serviceAccountToken ? [volumePath(volume, serviceAccountToken.path)] : [],
  );
  return new Set(paths);
}

/** Modes that single items ask for, by path. */
function itemModes(volume: string, { sources }: ProjectedVolumeSource): Map<string, number> {
  const items = (sources ?? []).flatMap(({ configMap, secret, downwardAPI }) => [
    ...(configMap?.items ?? []),
    ...(secret?.items ?? []),
    ...(downwardAPI?.items ?? []),
  ]);
  return new Map(
    items.flatMap(({ path, mode }) =>
      mode === undefined || mode === null ? [] : [[volumePath(volume, path), mode] as const],
    ),
  );
}

function filesFromSources(
  volume: string,
  source: ProjectedVolumeSource,
  pod: Pod,
  objects: PodObjects,
): VolumeFiles {
  const files: VolumeFiles = new Map();
  const defaultMode = source.defaultMode ?? DEFAULT_MODE;
  for (const one of source.sources ?? []) {
    if (!addSource(files, volume, one, defaultMode, pod, objects)) {
      // A site may switch API access off on its virtual node; pods that do not use it must still run.
      if (volume.startsWith(API_ACCESS_PREFIX)) continue;
      throw new PluginError(
        "rejected",
        `Volume "${volume}" is projected, but its content did not come with the pod: ${Object.keys(one).join(", ")}. The virtual node must resolve it.`,
      );
    }
  }
  return files;
}

/** `false` if the content of this source is not at hand. */
function addSource(
  files: VolumeFiles,
  volume: string,
  { configMap, secret, downwardAPI }: VolumeProjection,
  defaultMode: number,
  pod: Pod,
  objects: PodObjects,
): boolean {
  if (configMap) {
    const object = objects.configMaps.get(configMap.name ?? "");
    if (object === undefined) return configMap.optional === true;
    const selection = { volume, items: configMap.items, defaultMode, optional: configMap.optional };
    addSelected(files, configMapContents(object), selection, missingConfigKey);
    return true;
  }
  if (secret) {
    const object = objects.secrets.get(secret.name ?? "");
    if (object === undefined) return secret.optional === true;
    const selection = { volume, items: secret.items, defaultMode, optional: secret.optional };
    addSelected(files, secretContents(object), selection, missingSecretKey);
    return true;
  }
  if (downwardAPI) {
    for (const item of downwardAPI.items ?? []) {
      const content = Buffer.from(downwardText(item, pod));
      addFile(files, volume, item.path, content, item.mode ?? defaultMode);
    }
    return true;
  }
  return false;
}

function downwardText(
  { path, fieldRef, resourceFieldRef }: DownwardAPIVolumeFile,
  pod: Pod,
): string {
  if (resourceFieldRef) {
    const nobody = { name: "" };
    return resourceValue(pod, nobody, resourceFieldRef);
  }
  if (fieldRef) return fieldRefValue(pod, fieldRef, { podIPs: [], hostIP: "" });
  throw new PluginError("rejected", `The downward API file "${path}" names no field.`);
}

export function missingConfigKey(key: string): string {
  return `configmap references non-existent config key: ${key}`;
}

export function missingSecretKey(key: string): string {
  return `references non-existent secret key: ${key}`;
}
