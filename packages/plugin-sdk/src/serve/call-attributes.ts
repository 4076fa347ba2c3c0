import {
  type LogRequest,
  logAttributes,
  podAttributes,
  type RetrievedPodData,
} from "@interlink/protocol";
import type { Attributes } from "@opentelemetry/api";
import type { Container, Pod } from "kubernetes-types/core/v1.js";

// Names are those of the existing plugins' spans (reference: Slurm plugin, section 9), without what may be secret there:
// environments, commands and arguments.

/** Containers of which a span tells; a pod may have very many. */
const MOST_CONTAINERS = 32;

export function createAttributes(data: RetrievedPodData, job: string | undefined): Attributes {
  const { spec } = data.pod;
  const { initContainers = [], containers = [] } = spec ?? {};
  const all = [
    ...initContainers.map((one) => ({ one, isInit: true })),
    ...containers.map((one) => ({ one, isInit: false })),
  ].slice(0, MOST_CONTAINERS);
  return {
    ...podAttributes(data),
    ...(job !== undefined && { "job.id": job }),
    ...Object.fromEntries(all.flatMap(({ one, isInit }, index) => told(one, isInit, index))),
  };
}

function told(
  { name, image = "", resources }: Container,
  isInit: boolean,
  index: number,
): [string, string | boolean | undefined][] {
  const at = `job.container${index}`;
  const { cpu, memory } = resources?.limits ?? {};
  return [
    [`${at}.name`, name],
    [`${at}.isinit`, isInit],
    [`${at}.image`, image],
    [`${at}.limits.cpu`, cpu],
    [`${at}.limits.memory`, memory],
  ];
}

export function deleteAttributes(pod: Pod, job: string | undefined): Attributes {
  return {
    ...podAttributes(pod),
    "delete.pod.uid": pod.metadata?.uid ?? "",
    ...(job !== undefined && { "job.id": job, "delete.jid": job }),
  };
}

export function logCallAttributes(request: LogRequest): Attributes {
  return { ...podAttributes(request), ...logAttributes(request) };
}
