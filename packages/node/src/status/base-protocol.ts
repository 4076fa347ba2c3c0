import type { RemotePodStatus } from "@interlink/protocol";
import type { ContainerStatus, PodSpec, PodStatus } from "kubernetes-types/core/v1.js";
import { hasStarted } from "./phase.ts";
import { isSidecar } from "./restart-rules.ts";
import { atSeconds, toSeconds } from "./times.ts";

/** How long all containers must have been ended before a peer is believed not to restart them, milliseconds. */
const BASE_RESTART_WAIT_MS = 60_000;

/** Peers of the base protocol that cannot tell "runs, but its probes are not ready" from waiting say it so. */
const PROBES_NOT_READY = "Waiting for probes to be ready.";

/**
 * What a peer of the base protocol means (interlink-wire-and-node.md 4.4; interlink-other-plugins.md section 0):
 * a running container is ready unless the peer also fills in `started`, and then `ready` is its own word;
 * init containers that it does not list have ended well once a regular container has run.
 */
export function readBaseStatus(
  spec: PodSpec,
  remote: RemotePodStatus,
  previous: PodStatus | undefined,
  now: Date,
): RemotePodStatus {
  const containers = remote.containers.map((status) =>
    readContainer(
      status,
      previous?.containerStatuses?.find((one) => one.name === status.name),
      now,
    ),
  );
  return { ...remote, containers, initContainers: initContainers(spec, remote, containers, now) };
}

/**
 * Whether the job behind the pod is over, although its restart policy asks for more: hardly any plugin of the base
 * protocol restarts containers, and those that do show a new state soon. Without this such a pod would be Running for
 * ever; with it, its Job or ReplicaSet makes a new one.
 */
export function baseJobIsOver(
  spec: PodSpec,
  statuses: readonly ContainerStatus[],
  now: Date,
): boolean {
  return spec.containers.every(({ name }) => {
    const end = statuses.find((one) => one.name === name)?.state?.terminated;
    return (
      end?.finishedAt !== undefined &&
      now.getTime() - Date.parse(end.finishedAt) >= BASE_RESTART_WAIT_MS
    );
  });
}

function readContainer(
  status: ContainerStatus,
  previous: ContainerStatus | undefined,
  now: Date,
): ContainerStatus {
  if (status.state?.waiting?.reason === PROBES_NOT_READY) {
    const startedAt = previous?.state?.running?.startedAt ?? atSeconds(now);
    return { ...status, state: { running: { startedAt } }, started: true, ready: false };
  }
  if (!status.state?.running) return status;
  if (typeof status.started === "boolean") return status;
  return { ...status, started: true, ready: true };
}

function initContainers(
  spec: PodSpec,
  remote: RemotePodStatus,
  containers: readonly ContainerStatus[],
  now: Date,
): ContainerStatus[] {
  const started = containers.filter(hasStarted);
  if (started.length === 0) return remote.initContainers;
  const begin = started
    .map((one) => toSeconds((one.state?.running ?? one.state?.terminated)?.startedAt))
    .filter((time) => time !== undefined)
    .sort()[0];
  return (spec.initContainers ?? []).map((container) => {
    const told = remote.initContainers.find((one) => one.name === container.name);
    if (told) return told;
    return {
      name: container.name,
      state: {
        terminated: { exitCode: 0, reason: "Completed", finishedAt: begin ?? atSeconds(now) },
      },
      ready: !isSidecar(container),
      restartCount: 0,
      image: container.image ?? "",
      imageID: "",
    };
  });
}
