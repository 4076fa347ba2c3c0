import type { BatchUsage } from "@interlink/plugin-sdk";
import type { ContainerStats, PodStats } from "@interlink/protocol";
import { rfc3339 } from "../slurm/slurm-time.ts";

/** A rate over less than this says more about the moment of asking than about the container. */
const SHORTEST_RATE_MS = 1_000;

/** What was measured of one attempt of a container before, for its rate. */
export interface UsageSample {
  at: number;
  attempt: number;
  coreNanoSeconds: number;
  nanoCores?: number;
}

/** The sample that comes after `before`; the same if nothing was measured anew. */
export function nextSample(before: UsageSample | undefined, usage: BatchUsage): UsageSample {
  const { at, attempt, coreNanoSeconds } = usage;
  const isSame = before?.attempt === attempt;
  if (isSame && at - before.at < SHORTEST_RATE_MS) return before;
  const used = isSame ? coreNanoSeconds - before.coreNanoSeconds : 0;
  return {
    at,
    attempt,
    coreNanoSeconds,
    ...(isSame && used >= 0 && { nanoCores: Math.round((used / (at - before.at)) * 1000) }),
  };
}

/** What a running container uses; `startTime`: RFC 3339. */
export function containerStats(
  usage: BatchUsage,
  sample: UsageSample,
  startTime: string,
): ContainerStats {
  const time = rfc3339(usage.at);
  const { rssBytes, container: name } = usage;
  const { nanoCores } = sample;
  return {
    name,
    startTime,
    cpu: {
      time: rfc3339(sample.at),
      usageCoreNanoSeconds: sample.coreNanoSeconds,
      ...(nanoCores !== undefined && { usageNanoCores: nanoCores }),
    },
    memory: { time, rssBytes, workingSetBytes: rssBytes },
  };
}

/** A pod's own numbers are its containers' together; `time` is the oldest. */
export function podStats(
  podRef: PodStats["podRef"],
  startTime: string,
  containers: ContainerStats[],
): PodStats {
  const sum = (numbers: readonly (number | undefined)[]): number =>
    numbers.reduce<number>((total, number) => total + (number ?? 0), 0);
  const oldest = (times: readonly (string | undefined)[]): string =>
    times.reduce<string>((a, b) => (b !== undefined && (a === "" || b < a) ? b : a), "");
  const cpus = containers.map(({ cpu }) => cpu);
  const memories = containers.map(({ memory }) => memory);
  const hasRates = cpus.every((cpu) => cpu?.usageNanoCores !== undefined);
  const rssBytes = sum(memories.map((memory) => memory?.rssBytes));
  return {
    podRef,
    startTime,
    containers,
    cpu: {
      time: oldest(cpus.map((cpu) => cpu?.time)),
      usageCoreNanoSeconds: sum(cpus.map((cpu) => cpu?.usageCoreNanoSeconds)),
      ...(hasRates && { usageNanoCores: sum(cpus.map((cpu) => cpu?.usageNanoCores)) }),
    },
    memory: {
      time: oldest(memories.map((memory) => memory?.time)),
      rssBytes,
      workingSetBytes: rssBytes,
    },
  };
}
