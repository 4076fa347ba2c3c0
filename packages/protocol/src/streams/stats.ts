/**
 * `GET /stats` of a peer that offers `stats`: what its pods use now. A part of the kubelet's summary
 * (k8s.io/kubelet/pkg/apis/stats/v1alpha1), in the same spelling. A value that was not measured is left out, never 0.
 */
export interface StatsAnswer {
  /** Of the resource as a whole, if it can be told. */
  node?: { cpu?: CpuStats; memory?: MemoryStats; fs?: FilesystemStats };
  pods: PodStats[];
}

/** What one pod uses, as in a kubelet's `/stats/summary`. */
export interface PodStats {
  podRef: { name: string; namespace: string; uid: string };
  /** RFC 3339. */
  startTime: string;
  /** Only those that run. */
  containers: ContainerStats[];
  cpu?: CpuStats;
  memory?: MemoryStats;
  network?: NetworkStats;
}

/** What one container uses, as in a kubelet's `/stats/summary`. */
export interface ContainerStats {
  name: string;
  /** RFC 3339. */
  startTime: string;
  cpu?: CpuStats;
  memory?: MemoryStats;
  rootfs?: FilesystemStats;
  logs?: FilesystemStats;
}

/** `time` is when the sample was taken, RFC 3339; it moves only when something was measured. */
export interface CpuStats {
  time: string;
  /** Rate over the last interval, in 1e-9 cores. */
  usageNanoCores?: number;
  /** Since the start, in nanoseconds of CPU; only grows. */
  usageCoreNanoSeconds?: number;
}

/** Bytes. */
export interface MemoryStats {
  time: string;
  availableBytes?: number;
  usageBytes?: number;
  /** Usage without what the kernel can drop at once (inactive file cache). */
  workingSetBytes?: number;
  rssBytes?: number;
}

/** Bytes since the start. */
export interface NetworkStats {
  time: string;
  /** Interface. */
  name: string;
  rxBytes?: number;
  txBytes?: number;
}

/** Bytes. */
export interface FilesystemStats {
  time: string;
  usedBytes?: number;
  availableBytes?: number;
  capacityBytes?: number;
}
