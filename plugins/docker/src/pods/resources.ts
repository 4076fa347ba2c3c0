import type { Container } from "kubernetes-types/core/v1.js";
import { ceilQuantity } from "./quantity.ts";

/** Period of the CPU quota, in microseconds; the kernel's default, and the kubelet's. */
const CPU_PERIOD = 100_000;
/** The kernel accepts no quota below one millisecond, and no fewer shares than two. */
const MIN_QUOTA = 1_000;
const MIN_SHARES = 2;
const MAX_SHARES = 262_144;

/** Part of the engine's HostConfig. */
export interface EngineResources {
  CpuShares: number;
  CpuPeriod?: number;
  CpuQuota?: number;
  /** Bytes. */
  Memory?: number;
  MemorySwap?: number;
}

/**
 * The kubelet's rules (Kubernetes `pkg/kubelet/cm/helpers_linux.go`): a request weighs, a limit caps, and a limit
 * without a request is the request, too. The quota is not bounded by the number of CPUs, unlike the engine's NanoCpus.
 */
export function engineResources(resources: Container["resources"] = {}): EngineResources {
  const limits: Partial<Record<string, string>> = resources.limits ?? {};
  const requests: Partial<Record<string, string>> = resources.requests ?? {};
  const limit = limits.cpu === undefined ? 0 : ceilQuantity(limits.cpu, 1000);
  const request = requests.cpu === undefined ? limit : ceilQuantity(requests.cpu, 1000);
  const memory = limits.memory === undefined ? 0 : ceilQuantity(limits.memory);
  return {
    CpuShares: Math.min(Math.max(Math.floor((request * 1024) / 1000), MIN_SHARES), MAX_SHARES),
    ...(limit > 0 && {
      CpuPeriod: CPU_PERIOD,
      CpuQuota: Math.max(Math.floor((limit * CPU_PERIOD) / 1000), MIN_QUOTA),
    }),
    // Equal to the memory: no swap.
    ...(memory > 0 && { Memory: memory, MemorySwap: memory }),
  };
}
