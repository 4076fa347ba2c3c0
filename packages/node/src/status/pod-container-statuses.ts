import type { RemotePodStatus } from "@interlink/protocol";
import type {
  Container,
  ContainerStatus,
  EphemeralContainer,
  Pod,
  PodSpec,
} from "kubernetes-types/core/v1.js";
import { containerStatus } from "./container-status.ts";
import { hasStarted } from "./phase.ts";
import { grantedResources } from "./resize.ts";
import { EPHEMERAL_UNSUPPORTED } from "./unsupported.ts";

/** What the node knows beside what the site tells. */
export interface ContainersContext {
  /** The site runs ephemeral containers. */
  ephemeralContainers?: boolean | undefined;
  /** While the site knows nothing of the pod: what it waits for, per container name or for all (`""`). */
  waiting?: ReadonlyMap<string, { reason: string; message: string }> | undefined;
}

/** Of all containers of a pod, by kind. */
export interface PodContainerStatuses {
  init: ContainerStatus[];
  regular: ContainerStatus[];
  ephemeral: ContainerStatus[];
}

/** What a kubelet would say of each container, made of what the site tells and of what is known already. */
export function podContainerStatuses(
  pod: Pod,
  told: RemotePodStatus | undefined,
  context: ContainersContext,
  allStopped: boolean,
  now: Date,
): PodContainerStatuses {
  const spec = pod.spec as PodSpec;
  const hasInit = (spec.initContainers?.length ?? 0) > 0;
  const waitingOf = (name: string) =>
    context.waiting?.get(name) ??
    context.waiting?.get("") ?? {
      reason: hasInit ? "PodInitializing" : "ContainerCreating",
      message: told?.extension?.message,
    };
  const one = (container: Container, init: boolean): ContainerStatus => {
    const list = init ? told?.initContainers : told?.containers;
    const before = init ? pod.status?.initContainerStatuses : pod.status?.containerStatuses;
    const previous = before?.find((status) => status.name === container.name);
    return containerStatus({
      container,
      init,
      podPolicy: spec.restartPolicy,
      told: list?.find((status) => status.name === container.name),
      previous,
      granted: grantedResources(pod, container, previous, told !== undefined),
      waiting: waitingOf(container.name),
      allStopped,
      now,
    });
  };
  /** They run once; a kubelet tells neither readiness nor start of them (kubelet-contract.md 3.6). */
  const ephemeral = (container: EphemeralContainer): ContainerStatus => {
    const known = told?.extension?.ephemeralContainers?.find(({ name }) => name === container.name);
    const previous = pod.status?.ephemeralContainerStatuses?.find(
      ({ name }) => name === container.name,
    );
    const isRun = known !== undefined || context.ephemeralContainers === true;
    if (!isRun && !hasStarted(previous)) {
      // Nothing was heard yet in this life of the node.
      return (told === undefined && previous) || unsupportedStatus(container);
    }
    const { started: _started, ...status } = containerStatus({
      container,
      init: false,
      podPolicy: "Never",
      told: known,
      previous,
      waiting: waitingOf(container.name),
      allStopped,
      now,
    });
    return { ...status, ready: false };
  };
  return {
    init: (spec.initContainers ?? []).map((container) => one(container, true)),
    regular: spec.containers.map((container) => one(container, false)),
    ephemeral: (spec.ephemeralContainers ?? []).map(ephemeral).toSorted(byName),
  };
}

/** The site does not run it; silence would leave `kubectl debug` hanging without a word. */
function unsupportedStatus(container: EphemeralContainer): ContainerStatus {
  return {
    name: container.name,
    state: {
      waiting: {
        reason: "CreateContainerError",
        message: EPHEMERAL_UNSUPPORTED,
      },
    },
    lastState: {},
    ready: false,
    restartCount: 0,
    image: container.image ?? "",
    imageID: "",
  };
}

/** The order of a kubelet's statuses (Kubernetes `kubelet_pods.go`). */
export function byName(a: { name: string }, b: { name: string }): number {
  return a.name < b.name ? -1 : a.name > b.name ? 1 : 0;
}
