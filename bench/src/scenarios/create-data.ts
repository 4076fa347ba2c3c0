import { emptyJobConfig, type PodCreateRequest, type RetrievedPodData } from "@interlink/protocol";
import type { Pod } from "kubernetes-types/core/v1.js";

/** The create of a pod without volumes, as a virtual node sends it to an API server. */
export function forServer(pod: Pod): PodCreateRequest {
  return { pod, configmaps: [], secrets: [], projectedvolumesmaps: [], jobscriptURL: "" };
}

/** The same, as an API server sends it to a plugin. */
export function forPlugin(pod: Pod): RetrievedPodData {
  const container = (pod.spec?.containers ?? []).map(({ name }) => ({
    name,
    configMaps: [],
    projectedvolumemaps: [],
    secrets: [],
    emptyDirs: [],
  }));
  return { pod, container, jobConfig: emptyJobConfig() };
}
