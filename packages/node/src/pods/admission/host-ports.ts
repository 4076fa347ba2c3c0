import type { Pod } from "kubernetes-types/core/v1.js";

/** A port of the host that a pod takes. */
export interface HostPort {
  protocol: string;
  ip: string;
  port: number;
}

const EVERY_ADDRESS = "0.0.0.0";

/** Ports of the host that the pod's containers and sidecars ask for. */
export function hostPorts(pod: Pod): HostPort[] {
  const { containers = [], initContainers = [] } = pod.spec ?? {};
  const lasting = initContainers.filter(({ restartPolicy }) => restartPolicy === "Always");
  return [...containers, ...lasting].flatMap(({ ports = [] }) =>
    ports.flatMap(({ hostPort, hostIP, protocol }) =>
      hostPort
        ? [{ protocol: protocol ?? "TCP", ip: hostIP || EVERY_ADDRESS, port: hostPort }]
        : [],
    ),
  );
}

/** Whether one of `wanted` is taken (Kubernetes `pkg/scheduler/framework` HostPortInfo.CheckConflict). */
export function portsConflict(wanted: readonly HostPort[], taken: readonly HostPort[]): boolean {
  return wanted.some((one) =>
    taken.some(
      (other) =>
        one.port === other.port &&
        one.protocol === other.protocol &&
        (one.ip === other.ip || one.ip === EVERY_ADDRESS || other.ip === EVERY_ADDRESS),
    ),
  );
}
