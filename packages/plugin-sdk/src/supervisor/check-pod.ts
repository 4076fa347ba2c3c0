import { allContainers, type RetrievedPodData } from "@interlink/protocol";
import type { Pod, Volume } from "kubernetes-types/core/v1.js";
import { PluginError } from "../plugin-error.ts";
import type { VolumeResolver } from "../volumes/pod-volumes.ts";

/** Kinds of volume that the SDK writes itself. */
const WRITTEN = ["configMap", "secret", "projected", "downwardAPI", "emptyDir"];

/** What a plugin says itself about a pod that has just arrived. */
export interface PodChecks {
  resolveVolume?: VolumeResolver | undefined;
  checkPod?: ((pod: Pod) => void) | undefined;
}

/**
 * Refuse a pod that can never run here, before anything of it is written down. Throws `PluginError`: `invalid` if it
 * is no sound pod, `rejected` if it asks for what this plugin does not have.
 */
export async function checkPod(
  plugin: string,
  { pod }: RetrievedPodData,
  { resolveVolume, checkPod: ownCheck }: PodChecks,
): Promise<void> {
  const { uid, name, namespace } = pod.metadata ?? {};
  if (!uid || !name || !namespace) {
    throw new PluginError("invalid", "The pod has no metadata.uid, metadata.name or namespace.");
  }
  if ((pod.spec?.containers ?? []).length === 0) {
    throw new PluginError("invalid", `The pod ${namespace}/${name} has no containers.`);
  }
  checkNames(pod);
  for (const volume of pod.spec?.volumes ?? []) {
    const kind = kindOf(volume);
    if (WRITTEN.includes(kind)) {
      const medium = volume.emptyDir?.medium ?? "";
      if (medium === "" || medium === "Memory") continue;
      throw new PluginError(
        "rejected",
        `The volume "${volume.name}" is an emptyDir of medium ${medium}, which the plugin ${plugin} does not provide. Use medium Memory or none.`,
      );
    }
    if ((await resolveVolume?.(volume, pod)) !== undefined) continue;
    throw new PluginError(
      "rejected",
      `The volume "${volume.name}" is of the kind ${kind}, which the plugin ${plugin} does not provide. Use ${WRITTEN.join(", ")}, or a node that provides it.`,
    );
  }
  ownCheck?.(pod);
}

/** Names of containers and volumes become part of file names and labels. Throws `PluginError` `invalid`. */
export function checkNames(pod: Pod): void {
  checkUnique("container", allContainers(pod));
  checkUnique("volume", pod.spec?.volumes ?? []);
}

function checkUnique(what: string, all: readonly { name: string }[]): void {
  const names = new Set<string>();
  for (const { name } of all) {
    if (!/^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/.test(name)) {
      const shown = JSON.stringify(name)?.slice(0, 80);
      throw new PluginError("invalid", `The ${what} name ${shown} is not a DNS label.`);
    }
    if (names.has(name)) throw new PluginError("invalid", `Two ${what}s are named ${name}.`);
    names.add(name);
  }
}

function kindOf(volume: Volume): string {
  return (
    Object.entries(volume).find(
      ([key, source]) => key !== "name" && source !== null && source !== undefined,
    )?.[0] ?? "emptyDir"
  );
}
