import { expect, test } from "vitest";
import { aimLines, type Report, scenarioLines } from "./report.ts";

const machine = {
  cores: 2,
  processor: "x",
  memoryMiB: 1024,
  system: "linux",
  node: "v20",
  commit: "abc",
  load: 0,
};
const findings = {
  measures: [{ name: "rate", value: 12.34, unit: "/s" as const }],
  distributions: [
    { name: "wait", unit: "ms" as const, count: 3, min: 1, p50: 2, p99: 30, max: 30 },
  ],
  aims: [
    { wanted: "Be quick.", got: "slow", met: false },
    { wanted: "Be right.", got: "right", met: true },
  ],
  notes: ["It rained."],
};

test("a scenario shows its distributions, its numbers and its notes", () => {
  expect(scenarioLines({ name: "one", title: "the first", seconds: 4.4, findings })).toEqual([
    "one: the first (4 s)",
    "        count   min   p50    p99    max",
    "  wait      3  1 ms  2 ms  30 ms  30 ms",
    "",
    "  rate  12.3/s",
    "  Note: It rained.",
  ]);
});

test("a scenario that failed says why, and is not counted as met", () => {
  const failed = { name: "two", title: "the second", seconds: 1, error: "no node" };
  expect(scenarioLines(failed)).toEqual(["two: the second (1 s)", "  FAILED: no node"]);
  const scenarios = [{ name: "one", title: "the first", seconds: 4, findings }, failed];
  const report: Report = { startedAt: "", quick: false, machine, scenarios };
  expect(aimLines(report)).toEqual([
    "Aims: 1 of 2 met",
    "  Not measured, for their scenario failed: two",
    "  NOT MET  Be quick. Measured: slow.",
    "  met      Be right. Measured: right.",
  ]);
});
