import type { CpuStats, MemoryStats, NetworkStats } from "@interlink/protocol";

/** What is read of `GET /containers/{id}/stats`. Engines leave out, or zero, what they cannot measure. */
export interface EngineStats {
  /** RFC 3339; the year 1 for a container that does not run. */
  read?: string;
  cpu_stats?: { cpu_usage?: { total_usage?: number } };
  memory_stats?: { usage?: number; stats?: Record<string, number> | null };
  networks?: Record<string, { rx_bytes?: number; tx_bytes?: number }> | null;
}

/** CPU time in nanoseconds, at a time in milliseconds since the epoch. */
export interface CpuSample {
  at: number;
  total: number;
}

/** When the sample was taken, RFC 3339; `undefined`: nothing was measured. */
export function sampleTime({ read = "" }: EngineStats): string | undefined {
  return Number.isNaN(Date.parse(read)) || read.startsWith("0001-") ? undefined : read;
}

export function cpuSample(stats: EngineStats): CpuSample | undefined {
  const time = sampleTime(stats);
  const total = stats.cpu_stats?.cpu_usage?.total_usage;
  return time === undefined || !total ? undefined : { at: Date.parse(time), total };
}

/** The rate is told from the second sample on. */
export function cpuStats(
  time: string,
  { at, total }: CpuSample,
  before: CpuSample | undefined,
): CpuStats {
  const milliseconds = before === undefined ? 0 : at - before.at;
  // Nanoseconds of CPU per second of time are 1e-9 cores.
  const rate = before === undefined ? 0 : ((total - before.total) / milliseconds) * 1000;
  return {
    time,
    usageCoreNanoSeconds: total,
    ...(milliseconds > 0 && rate >= 0 && { usageNanoCores: Math.round(rate) }),
  };
}

/** With the names of both versions of control groups. Working set and rss as cAdvisor has them. */
export function memoryStats(time: string, stats: EngineStats): MemoryStats | undefined {
  const { usage, stats: details } = stats.memory_stats ?? {};
  if (!usage) return undefined;
  const inactive = details?.total_inactive_file ?? details?.inactive_file;
  const rss = details?.total_rss ?? details?.rss ?? details?.anon;
  return {
    time,
    usageBytes: usage,
    // Podman does not tell what could be dropped: all of it counts, so that it is never less than what it is.
    workingSetBytes: Math.max(0, usage - (inactive ?? 0)),
    ...(rss !== undefined && { rssBytes: rss }),
  };
}

/** Of the pod's first interface. */
export function networkStats(time: string, { networks }: EngineStats): NetworkStats | undefined {
  const [first] = Object.entries(networks ?? {}).sort(([a], [b]) => (a < b ? -1 : 1));
  if (first === undefined) return undefined;
  const [name, { rx_bytes: rxBytes, tx_bytes: txBytes }] = first;
  return {
    time,
    name,
    ...(rxBytes !== undefined && { rxBytes }),
    ...(txBytes !== undefined && { txBytes }),
  };
}
