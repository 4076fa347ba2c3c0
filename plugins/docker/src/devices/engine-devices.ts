import type { DeviceIds, DeviceResource } from "./inventory.ts";

/** Part of the engine's HostConfig. */
export interface EngineDevices {
  Devices?: { PathOnHost: string; PathInContainer: string; CgroupPermissions: "rwm" }[];
  DeviceRequests?: { Driver: string; DeviceIDs: string[]; Capabilities?: string[][] }[];
}

/** How the engine is to give a container its units. */
export function engineDevices(
  inventory: readonly DeviceResource[],
  assigned: DeviceIds,
): EngineDevices {
  const nodes = new Set<string>();
  const requests: EngineDevices["DeviceRequests"] = [];
  for (const { resource, kind = "nodes", units, shared = [] } of inventory) {
    const ids = assigned[resource] ?? [];
    if (ids.length === 0) continue;
    for (const node of shared) nodes.add(node);
    for (const { id, devices = [] } of units) {
      if (ids.includes(id)) for (const node of devices) nodes.add(node);
    }
    if (kind === "nvidia") {
      requests.push({ Driver: "nvidia", DeviceIDs: [...ids], Capabilities: [["gpu"]] });
    }
    if (kind === "cdi") requests.push({ Driver: "cdi", DeviceIDs: [...ids] });
  }
  return {
    ...(nodes.size > 0 && {
      Devices: [...nodes].map((path) => ({
        PathOnHost: path,
        PathInContainer: path,
        CgroupPermissions: "rwm",
      })),
    }),
    ...(requests.length > 0 && { DeviceRequests: requests }),
  };
}

/**
 * Variables that keep NVIDIA's own runtime, where it is the engine's default, from giving all GPUs to an image that asks
 * for them by its environment: a container has what it was assigned, or none.
 */
export function deviceEnvironment(
  inventory: readonly DeviceResource[],
  assigned: DeviceIds,
): { name: string; value: string }[] {
  const nvidia = inventory.filter(({ kind }) => kind === "nvidia");
  if (nvidia.length === 0) return [];
  const ids = nvidia.flatMap(({ resource }) => assigned[resource] ?? []);
  return [{ name: "NVIDIA_VISIBLE_DEVICES", value: ids.length === 0 ? "void" : ids.join(",") }];
}
