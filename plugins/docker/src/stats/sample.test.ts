import { describe, expect, it } from "vitest";
import { cpuSample, cpuStats, memoryStats, networkStats, sampleTime } from "./sample.ts";

const TIME = "2026-01-02T03:04:05.678901234Z";

describe("sampleTime", () => {
  it.each([
    [TIME, TIME],
    ["0001-01-01T00:00:00Z", undefined],
    ["", undefined],
    ["soon", undefined],
  ])("takes %j as %j", (read, expected) => {
    expect(sampleTime({ read })).toBe(expected);
  });
});

describe("cpuStats", () => {
  const now = { at: 10_000, total: 5_000_000_000 };

  it.each([
    ["no rate from the first sample", undefined, undefined],
    ["half a core", { at: 8_000, total: 4_000_000_000 }, 500_000_000],
    ["nothing used", { at: 8_000, total: 5_000_000_000 }, 0],
    ["no rate from the same moment", { at: 10_000, total: 4_000_000_000 }, undefined],
    ["no rate when the clock went back", { at: 11_000, total: 4_000_000_000 }, undefined],
    ["no rate when counting began anew", { at: 8_000, total: 6_000_000_000 }, undefined],
  ])("tells %s", (_, before, rate) => {
    const { usageNanoCores, ...rest } = cpuStats(TIME, now, before);
    expect(usageNanoCores).toBe(rate);
    expect(rest).toEqual({ time: TIME, usageCoreNanoSeconds: 5_000_000_000 });
  });

  it("takes a container that does not run for one that was not measured", () => {
    const cpu_stats = { cpu_usage: { total_usage: 0 } };
    expect(cpuSample({ read: TIME, cpu_stats })).toBeUndefined();
    expect(cpuSample({ read: TIME })).toBeUndefined();
  });
});

describe("memoryStats", () => {
  it.each([
    [
      "control groups v1",
      { usage: 100, stats: { total_inactive_file: 30, inactive_file: 1, total_rss: 50, rss: 2 } },
      { usageBytes: 100, workingSetBytes: 70, rssBytes: 50 },
    ],
    [
      "control groups v2",
      { usage: 100, stats: { inactive_file: 30, anon: 50 } },
      { usageBytes: 100, workingSetBytes: 70, rssBytes: 50 },
    ],
    ["Podman", { usage: 100 }, { usageBytes: 100, workingSetBytes: 100 }],
    [
      "a cache larger than the use",
      { usage: 10, stats: { inactive_file: 30 } },
      { usageBytes: 10, workingSetBytes: 0 },
    ],
  ])("reads those of %s", (_, memory_stats, expected) => {
    expect(memoryStats(TIME, { memory_stats })).toEqual({ time: TIME, ...expected });
  });

  it("leaves out what was not measured", () => {
    expect(memoryStats(TIME, { memory_stats: {} })).toBeUndefined();
    expect(memoryStats(TIME, {})).toBeUndefined();
  });
});

it("tells of the first interface, and of none for a pod on the host's network", () => {
  const networks = { eth1: { rx_bytes: 9 }, eth0: { rx_bytes: 1, tx_bytes: 2 } };
  expect(networkStats(TIME, { networks })).toEqual({
    time: TIME,
    name: "eth0",
    rxBytes: 1,
    txBytes: 2,
  });
  expect(networkStats(TIME, {})).toBeUndefined();
  expect(networkStats(TIME, { networks: null })).toBeUndefined();
});
