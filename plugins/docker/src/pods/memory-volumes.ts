import { memoryVolumeBytes } from "@interlink/plugin-sdk";
import type { Pod } from "kubernetes-types/core/v1.js";
import { LABELS, volumeEngineName } from "./labels.ts";

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

/** On machines with larger pages the limit is wider. */
const PAGE_BYTES = 4096;

/**
 * The engine mounts such a volume with its first container and empties it with its last; so the sandbox holds it,
 * which lives as long as the pod. A volume that is mounted in parts (`subPath`) is left to the disk: older engines
 * cannot mount a part of a volume, and all containers must see the same.
 *
 * Podman takes `size` for a quota on its own disk; there the limit is given to the kernel as a number of pages.
 */
export function memoryVolumes(plugin: string, pod: Pod, isPodman = false): MemoryVolume[] {
  const uid = pod.metadata?.uid ?? "";
  const fsGroup = pod.spec?.securityContext?.fsGroup;
  const inParts = volumesMountedInParts(pod);
  return (pod.spec?.volumes ?? []).flatMap(({ name, emptyDir }) => {
    if (emptyDir?.medium !== "Memory" || inParts.has(name)) return [];
    const size = memoryVolumeBytes(pod, emptyDir.sizeLimit) ?? 0;
    const options = [
      fsGroup === undefined ? "mode=0777" : `mode=2777,gid=${fsGroup}`,
      ...(size > 0
        ? [isPodman ? `nr_blocks=${Math.ceil(size / PAGE_BYTES)}` : `size=${size}`]
        : []),
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

function volumesMountedInParts({ spec }: Pod): Set<string> {
  const containers = [...(spec?.initContainers ?? []), ...(spec?.containers ?? [])];
  const mounts = containers.flatMap(({ volumeMounts }) => volumeMounts ?? []);
  return new Set(
    mounts.filter(({ subPath, subPathExpr }) => subPath || subPathExpr).map(({ name }) => name),
  );
}
