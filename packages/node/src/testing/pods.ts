import type { RemotePodStatus } from "@interlink/protocol";
import type {
  Container,
  ContainerState,
  ContainerStatus,
  Pod,
  PodSpec,
} from "kubernetes-types/core/v1.js";

/** Builders of pods and statuses for tests: valid, small, and only what the test says beyond that. */

export function aPod(
  spec: Partial<PodSpec> = {},
  over: { metadata?: Pod["metadata"]; status?: Pod["status"] } = {},
): Pod {
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name: "p", namespace: "default", uid: "uid-1", ...over.metadata },
    spec: {
      nodeName: "vn",
      restartPolicy: "Always",
      containers: [{ name: "main", image: "busybox" }],
      ...spec,
    },
    ...(over.status ? { status: over.status } : {}),
  };
}

export function container(name: string, over: Partial<Container> = {}): Container {
  return { name, image: "busybox", ...over };
}

export const waiting = (reason?: string, message?: string): ContainerState => ({
  waiting: { ...(reason ? { reason } : {}), ...(message ? { message } : {}) },
});
export const running = (startedAt = "2026-01-01T00:00:05Z"): ContainerState => ({
  running: { startedAt },
});
export const ended = (exitCode: number, reason?: string): ContainerState => ({
  terminated: {
    exitCode,
    ...(reason ? { reason } : {}),
    startedAt: "2026-01-01T00:00:05Z",
    finishedAt: "2026-01-01T00:00:09Z",
  },
});

export function status(
  name: string,
  state: ContainerState,
  over: Partial<ContainerStatus> = {},
): ContainerStatus {
  return {
    name,
    state,
    lastState: {},
    ready: Boolean(state.running),
    started: Boolean(state.running),
    restartCount: 0,
    image: "busybox",
    imageID: "",
    ...over,
  };
}

/** A status from a peer with the extension; give `extension: undefined` for one of the base protocol. */
export function remote(
  pod: Pod,
  containers: ContainerStatus[],
  over: Partial<Omit<RemotePodStatus, "extension">> & {
    extension?: RemotePodStatus["extension"] | undefined;
  } = {},
): RemotePodStatus {
  const { extension = {}, ...rest } = over;
  const base = "extension" in over && over.extension === undefined;
  return {
    name: pod.metadata?.name ?? "",
    namespace: pod.metadata?.namespace ?? "",
    UID: pod.metadata?.uid ?? "",
    JID: "job-1",
    containers,
    initContainers: [],
    ...rest,
    ...(base ? {} : { extension }),
  };
}
