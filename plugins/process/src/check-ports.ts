import { PluginError } from "@interlink/plugin-sdk";
import type { Pod } from "kubernetes-types/core/v1.js";

/**
 * Processes use the ports of the host as they are: a `hostPort` is served where it is the container's own port, and
 * cannot be where it is another one. Throws `PluginError` `rejected`.
 */
export function checkPorts({ spec }: Pod): void {
  for (const { name, ports = [] } of [
    ...(spec?.initContainers ?? []),
    ...(spec?.containers ?? []),
  ]) {
    const moved = ports.find(
      ({ hostPort, containerPort }) => hostPort && hostPort !== containerPort,
    );
    if (moved === undefined) continue;
    throw new PluginError(
      "rejected",
      `Container "${name}" wants its port ${moved.containerPort} as hostPort ${moved.hostPort}, but processes use the host's ports as they are: let it listen on ${moved.hostPort}, or leave hostPort out.`,
    );
  }
}
