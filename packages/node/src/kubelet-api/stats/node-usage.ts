import type { CpuStats, PodStats, StatsAnswer } from "@interlink/protocol";
import { sumOf, sumOfCpu, sumOfMemory } from "./sums.ts";

export type NodeUsage = NonNullable<StatsAnswer["node"]>;

/**
 * What the node uses: as the site says it, else what its pods use together. CPU time is a counter that only grows, so
 * that what a container used is kept when it ends or starts again; who reads rates would see a jump downwards.
 */
export class NodeUsageMeter {
  #counted = new Map<string, number>();
  #totalNanoSeconds = 0;

  /** Each answer of the site once, in order. */
  measure(site: StatsAnswer["node"], pods: readonly PodStats[]): NodeUsage {
    const cpu = this.#count(pods);
    const memory = sumOfMemory(pods.map((pod) => podMemory(pod)));
    return {
      ...(cpu === undefined ? {} : { cpu }),
      ...(memory === undefined ? {} : { memory }),
      ...site,
    };
  }

  #count(pods: readonly PodStats[]): CpuStats | undefined {
    const counted = new Map<string, number>();
    for (const { podRef, containers } of pods) {
      for (const { name, startTime, cpu } of containers) {
        const now = cpu?.usageCoreNanoSeconds;
        if (now === undefined) continue;
        const key = JSON.stringify([podRef.uid, name, startTime]);
        const before = this.#counted.get(key) ?? 0;
        this.#totalNanoSeconds += now >= before ? now - before : now;
        counted.set(key, now);
      }
    }
    this.#counted = counted;
    const cpu = sumOfCpu(pods.map((pod) => podCpu(pod)));
    if (cpu === undefined || this.#totalNanoSeconds === 0) return undefined;
    return { ...cpu, usageCoreNanoSeconds: this.#totalNanoSeconds };
  }
}

/** As measured for the pod as a whole, else of its containers together. */
export function podCpu({ cpu, containers }: PodStats): CpuStats | undefined {
  if (sumOf([cpu?.usageCoreNanoSeconds, cpu?.usageNanoCores]) !== undefined) return cpu;
  return sumOfCpu(containers.map((one) => one.cpu));
}

export function podMemory({ memory, containers }: PodStats): PodStats["memory"] {
  if (sumOf([memory?.workingSetBytes, memory?.usageBytes]) !== undefined) return memory;
  return sumOfMemory(containers.map((one) => one.memory));
}
