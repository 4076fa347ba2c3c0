import type { ContainerStats, PodStats } from "@interlink/protocol";
import type { Pod } from "kubernetes-types/core/v1.js";
import type { NodeUsage } from "./node-usage.ts";

/** What the node and its pods use now, and what they are. */
export interface Usage {
  node: NodeUsage;
  pods: readonly { pod: Pod; stats: PodStats }[];
}

/** What metrics readers make something of: one container without both, and they drop the pod. */
export function hasBoth({ cpu, memory }: Pick<ContainerStats, "cpu" | "memory">): boolean {
  return (cpu?.usageCoreNanoSeconds ?? 0) > 0 && (memory?.workingSetBytes ?? 0) > 0;
}
