import type { RetrievedPodData } from "@interlink/protocol";
import type { ConfigMap, Secret } from "kubernetes-types/core/v1.js";

/** The objects that came with a pod, each once, by name; projected ones by the name of their volume. */
export interface PodObjects {
  configMaps: ReadonlyMap<string, ConfigMap>;
  secrets: ReadonlyMap<string, Secret>;
  projected: ReadonlyMap<string, ConfigMap>;
}

/** Old API servers send an object once per mount; the first one counts. */
export function podObjects({ container }: RetrievedPodData): PodObjects {
  return {
    configMaps: byName(container.flatMap(({ configMaps }) => configMaps)),
    secrets: byName(container.flatMap(({ secrets }) => secrets)),
    projected: byName(container.flatMap(({ projectedvolumemaps }) => projectedvolumemaps)),
  };
}

function byName<T extends ConfigMap | Secret>(objects: readonly T[]): Map<string, T> {
  const named = new Map<string, T>();
  for (const object of objects) {
    const name = object.metadata?.name ?? "";
    if (!named.has(name)) named.set(name, object);
  }
  return named;
}
