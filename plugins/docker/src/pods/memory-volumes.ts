import type { Pod } from "kubernetes-types/core/v1.js";
import { LABELS, volumeEngineName } from "./labels.ts";
import { ceilQuantity } from "./quantity.ts";

/** An emptyDir with `medium: Memory`: a tmpfs volume of the engine, shared by the pod's containers. */
export interface MemoryVolume {
  /** Name of the volume in the pod. */
  name: string;
  /** Body for the engine's volume creation. */
  create: {
    Name: string;
    Driver: "local";
    DriverOpts: { type: "tmpfs"; device: "tmpfs"; o: string };
    Labels: Record<string, string>;
  };
}

/**
 * The engine mounts such a volume with its first container and empties it with its last; so the sandbox holds it,
 * which lives as long as the pod.
 */
export function memoryVolumes(plugin: string, pod: Pod): MemoryVolume[] {
  const uid = pod.metadata?.uid ?? "";
  const fsGroup = pod.spec?.securityContext?.fsGroup;
  return (pod.spec?.volumes ?? []).flatMap(({ name, emptyDir }) => {
    if (emptyDir?.medium !== "Memory") return [];
    const size = emptyDir.sizeLimit === undefined ? 0 : ceilQuantity(emptyDir.sizeLimit);
    const options = [
      fsGroup === undefined ? "mode=0777" : `mode=2777,gid=${fsGroup}`,
      ...(size > 0 ? [`size=${size}`] : []),
    ];
    return [
      {
        name,
        create: {
          Name: volumeEngineName(uid, name),
          Driver: "local" as const,
          DriverOpts: { type: "tmpfs" as const, device: "tmpfs" as const, o: options.join(",") },
          Labels: { [LABELS.plugin]: plugin, [LABELS.uid]: uid },
        },
      },
    ];
  });
}
