import { describe, expect, it } from "vitest";
import { engineResources } from "./resources.ts";

describe("engineResources", () => {
  it.each([
    ["nothing", undefined, { CpuShares: 2 }],
    ["a cpu request", { requests: { cpu: "500m" } }, { CpuShares: 512 }],
    [
      "a cpu limit, which is the request, too",
      { limits: { cpu: "2" } },
      { CpuShares: 2048, CpuPeriod: 100_000, CpuQuota: 200_000 },
    ],
    [
      "more cpus than any machine has",
      { limits: { cpu: "1000" } },
      { CpuShares: 262_144, CpuPeriod: 100_000, CpuQuota: 100_000_000 },
    ],
    [
      "a tiny cpu limit",
      { limits: { cpu: "1m" }, requests: { cpu: "1m" } },
      { CpuShares: 2, CpuPeriod: 100_000, CpuQuota: 1_000 },
    ],
    ["a cpu limit of zero", { limits: { cpu: "0" } }, { CpuShares: 2 }],
    [
      "a memory limit, without swap",
      { limits: { memory: "64Mi" }, requests: { memory: "1Gi" } },
      { CpuShares: 2, Memory: 67_108_864, MemorySwap: 67_108_864 },
    ],
    [
      "a fraction of memory",
      { limits: { memory: "1.5k" } },
      { CpuShares: 2, Memory: 1500, MemorySwap: 1500 },
    ],
  ])("turns %s into what the kernel is told", (_, resources, expected) => {
    expect(engineResources(resources)).toEqual(expected);
  });

  it("refuses what is no quantity", () => {
    expect(() => engineResources({ limits: { memory: "lots" } })).toThrow(
      '"lots" is not a quantity',
    );
  });
});
