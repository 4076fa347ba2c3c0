import type { CpuStats, MemoryStats } from "@interlink/protocol";

/** A sum of what was measured; undefined when nothing was, or nothing was used: a zero is never told as measured. */
export function sumOf(values: readonly (number | undefined)[]): number | undefined {
  const sum = values.reduce<number>((total, value) => total + (value ?? 0), 0);
  return sum > 0 ? sum : undefined;
}

/** The latest of RFC 3339 times; undefined of none. */
export function latestOf(times: readonly (string | undefined)[]): string | undefined {
  return times
    .filter((time) => time !== undefined)
    .reduce<string | undefined>(
      (latest, time) =>
        latest === undefined || Date.parse(time) > Date.parse(latest) ? time : latest,
      undefined,
    );
}

/** Of several containers at once, as one. */
export function sumOfCpu(all: readonly (CpuStats | undefined)[]): CpuStats | undefined {
  const time = latestOf(all.map((one) => one?.time));
  const nanoCores = sumOf(all.map((one) => one?.usageNanoCores));
  const nanoSeconds = sumOf(all.map((one) => one?.usageCoreNanoSeconds));
  if (time === undefined || (nanoCores === undefined && nanoSeconds === undefined)) {
    return undefined;
  }
  return {
    time,
    ...(nanoCores === undefined ? {} : { usageNanoCores: nanoCores }),
    ...(nanoSeconds === undefined ? {} : { usageCoreNanoSeconds: nanoSeconds }),
  };
}

export function sumOfMemory(all: readonly (MemoryStats | undefined)[]): MemoryStats | undefined {
  const time = latestOf(all.map((one) => one?.time));
  const usage = sumOf(all.map((one) => one?.usageBytes));
  const workingSet = sumOf(all.map((one) => one?.workingSetBytes));
  const rss = sumOf(all.map((one) => one?.rssBytes));
  if (time === undefined || (usage ?? workingSet ?? rss) === undefined) return undefined;
  return {
    time,
    ...(usage === undefined ? {} : { usageBytes: usage }),
    ...(workingSet === undefined ? {} : { workingSetBytes: workingSet }),
    ...(rss === undefined ? {} : { rssBytes: rss }),
  };
}
