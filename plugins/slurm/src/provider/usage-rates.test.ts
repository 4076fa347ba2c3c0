import type { BatchUsage } from "@interlink/plugin-sdk";
import { describe, expect, it } from "vitest";
import { containerStats, nextSample, podStats } from "./usage-rates.ts";

const usage = (
  at: number,
  coreNanoSeconds: number,
  rest: Partial<BatchUsage> = {},
): BatchUsage => ({
  container: "main",
  attempt: 0,
  at,
  coreNanoSeconds,
  rssBytes: 4096,
  ...rest,
});

describe("nextSample", () => {
  it("tells a rate from the second measurement on", () => {
    const first = nextSample(undefined, usage(10_000, 1e9));
    expect(first.nanoCores).toBeUndefined();
    expect(nextSample(first, usage(15_000, 3.5e9)).nanoCores).toBe(5e8);
  });

  it("stays as it is when nothing was measured anew", () => {
    const first = nextSample(undefined, usage(10_000, 1e9));
    expect(nextSample(first, usage(10_000, 1e9))).toBe(first);
    expect(nextSample(first, usage(10_500, 2e9))).toBe(first);
  });

  it("begins anew with an attempt, and tells no rate when the sum has fallen", () => {
    const first = nextSample(undefined, usage(10_000, 9e9));
    expect(nextSample(first, usage(15_000, 1e9, { attempt: 1 }))).toEqual({
      at: 15_000,
      attempt: 1,
      coreNanoSeconds: 1e9,
    });
    expect(nextSample(first, usage(15_000, 1e9)).nanoCores).toBeUndefined();
  });
});

it("tells a pod's use as its containers' together, as old as the oldest", () => {
  const stats = [usage(20_000, 2e9), usage(10_000, 1e9, { container: "side" })].map((one) =>
    containerStats(
      one,
      nextSample(nextSample(undefined, usage(1000, 0)), one),
      "2026-01-01T00:00:00Z",
    ),
  );
  const { cpu, memory, containers } = podStats(
    { name: "pod", namespace: "default", uid: "u" },
    "2026-01-01T00:00:00Z",
    stats,
  );
  expect(containers.map(({ name }) => name)).toEqual(["main", "side"]);
  expect(cpu?.usageCoreNanoSeconds).toBe(3e9);
  expect(cpu?.usageNanoCores).toBe(Math.round(2e9 / 19) + Math.round(1e9 / 9));
  expect(Date.parse(cpu?.time ?? "")).toBe(10_000);
  expect(memory?.workingSetBytes).toBe(8192);
});
