import type { RemotePodStatus } from "@interlink/protocol";

/**
 * Whether a status from a peer of the base protocol says anything. Some plugins answer for a pod that they do not know
 * with containers in no state at all (interlink-slurm-plugin.md 1.4); that is "unknown", not a status.
 */
export function saysSomething(status: RemotePodStatus): boolean {
  if (status.extension !== undefined) return true;
  const all = [...status.containers, ...status.initContainers];
  return all.length === 0 || all.some(({ state }) => Object.values(state ?? {}).some(Boolean));
}
