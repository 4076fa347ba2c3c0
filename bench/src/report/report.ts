import type { Findings } from "../scenario.ts";
import type { MachineFacts } from "./machine.ts";
import { showQuantity } from "./quantity.ts";
import { table } from "./table.ts";

/** What became of one scenario: findings, or why there are none. */
export interface ScenarioReport {
  name: string;
  title: string;
  seconds: number;
  findings?: Findings;
  error?: string;
}

/** A whole run; the JSON file holds it as it is. */
export interface Report {
  /** RFC 3339. */
  startedAt: string;
  quick: boolean;
  machine: MachineFacts;
  scenarios: ScenarioReport[];
}

export function machineLines({ machine, quick }: Report): string[] {
  const { cores, processor, memoryMiB, system, node, commit, load } = machine;
  return [
    `${cores} cores (${processor}), ${(memoryMiB / 1024).toFixed(1)} GiB, ${system}, Node ${node}, commit ${commit}, load ${load}`,
    ...(quick
      ? ["Small numbers (--quick): they show that everything works, and measure little."]
      : []),
  ];
}

export function scenarioLines({ name, title, seconds, findings, error }: ScenarioReport): string[] {
  const lines = [`${name}: ${title} (${seconds.toFixed(0)} s)`];
  if (error !== undefined) lines.push(`  FAILED: ${error}`);
  if (findings === undefined) return lines;
  const { measures, distributions, notes } = findings;
  const rows = distributions.map(({ name, unit, count, ...values }) => [
    name,
    String(count),
    ...[values.min, values.p50, values.p99, values.max].map((value) => showQuantity(value, unit)),
  ]);
  if (rows.length > 0) {
    lines.push(...indented(table([["", "count", "min", "p50", "p99", "max"], ...rows])), "");
  }
  lines.push(
    ...indented(table(measures.map(({ name, value, unit }) => [name, showQuantity(value, unit)]))),
    ...notes.map((note) => `  Note: ${note}`),
  );
  return lines;
}

/** Which aims were met, and which not. */
export function aimLines({ scenarios }: Report): string[] {
  const aims = scenarios.flatMap(({ findings }) => findings?.aims ?? []);
  const failed = scenarios.filter(({ error }) => error !== undefined).map(({ name }) => name);
  const met = aims.filter((aim) => aim.met).length;
  return [
    `Aims: ${met} of ${aims.length} met`,
    ...(failed.length > 0
      ? [`  Not measured, for their scenario failed: ${failed.join(", ")}`]
      : []),
    ...aims.map(
      ({ wanted, got, met }) => `  ${met ? "met    " : "NOT MET"}  ${wanted} Measured: ${got}.`,
    ),
  ];
}

function indented(lines: readonly string[]): string[] {
  return lines.map((line) => (line === "" ? "" : `  ${line}`));
}
