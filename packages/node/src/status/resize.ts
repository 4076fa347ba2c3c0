import { sameJson } from "@interlink/kube";
import type { Container, ContainerStatus, Pod } from "kubernetes-types/core/v1.js";

type Resources = Pick<ContainerStatus, "resources" | "allocatedResources">;

/**
 * What a container got of its node: what its spec said when its job was made, whatever is written there later. Only
 * API servers that can resize pods have the fields; they are those that count generations of pods.
 */
export function grantedResources(
  pod: Pod,
  container: Container,
  previous: ContainerStatus | undefined,
  hasJob: boolean,
): Resources {
  if (!pod.metadata?.generation || !hasJob) return {};
  if (previous?.resources) {
    const { resources, allocatedResources } = previous;
    return { resources, ...(allocatedResources ? { allocatedResources } : {}) };
  }
  const { requests, limits } = container.resources ?? {};
  return {
    resources: { ...(limits ? { limits } : {}), ...(requests ? { requests } : {}) },
    ...(requests ? { allocatedResources: requests } : {}),
  };
}

/** Whether somebody asks for other resources than the containers got. */
export function isResizeWanted(pod: Pod, statuses: readonly ContainerStatus[]): boolean {
  const containers = [...(pod.spec?.containers ?? []), ...(pod.spec?.initContainers ?? [])];
  return containers.some(({ name, resources }) => {
    const granted = statuses.find((one) => one.name === name)?.resources;
    if (!granted) return false;
    return (
      !sameJson(granted.requests ?? {}, resources?.requests ?? {}) ||
      !sameJson(granted.limits ?? {}, resources?.limits ?? {})
    );
  });
}
