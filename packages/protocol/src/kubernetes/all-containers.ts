import type { Container, ContainerStatus, Pod, PodStatus } from "kubernetes-types/core/v1.js";
import type { RemotePodStatus } from "../messages.ts";

/** The containers of a pod: init containers, the others, ephemeral ones. A name stands once among all of them. */
export function allContainers({ spec }: Pod): Container[] {
  const { initContainers = [], containers = [], ephemeralContainers = [] } = spec ?? {};
  return [...initContainers, ...containers, ...ephemeralContainers];
}

/** What a pod's status in Kubernetes says of its containers, in the order of {@link allContainers}. */
export function allStatuses(status: PodStatus | undefined): ContainerStatus[] {
  const {
    initContainerStatuses = [],
    containerStatuses = [],
    ephemeralContainerStatuses = [],
  } = status ?? {};
  return [...initContainerStatuses, ...containerStatuses, ...ephemeralContainerStatuses];
}

/** What a site tells of a pod's containers, in the order of {@link allContainers}. */
export function allRemoteStatuses(status: RemotePodStatus): ContainerStatus[] {
  const { initContainers, containers, extension } = status;
  return [...initContainers, ...containers, ...(extension?.ephemeralContainers ?? [])];
}
