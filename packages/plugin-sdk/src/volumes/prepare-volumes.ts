import type { RetrievedPodData } from "@interlink/protocol";
import { PluginError } from "../plugin-error.ts";
import type { PodVolumes, PrepareVolumesOptions } from "./pod-volumes.ts";

/**
 * Write a pod's volumes below `options.directory`. Repeatable: after a crash the files are written anew, emptyDirs keep
 * their content. Throws `PluginError` `rejected` in the kubelet's words for a missing object or key, and for a kind of
 * volume that neither the SDK nor `resolveVolume` provides.
 */
export async function prepareVolumes(
  _data: RetrievedPodData,
  options: PrepareVolumesOptions,
): Promise<PodVolumes> {
  throw new PluginError("internal", `Volumes in ${options.directory} are not built yet.`);
}
