import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { type BenchOptions, readOptions, USAGE } from "./options.ts";
import { machineFacts } from "./report/machine.ts";
import { aimLines, machineLines, type Report, scenarioLines } from "./report/report.ts";
import { runScenario } from "./run-scenario.ts";
import { scenarios } from "./scenarios/scenarios.ts";

const home = dirname(dirname(fileURLToPath(import.meta.url)));

function print(lines: readonly string[]): void {
  process.stdout.write(`${lines.join("\n")}\n`);
}

function progress(text: string): void {
  process.stderr.write(`  … ${text}\n`);
}

/** Runs what was asked for. Resolves with the exit code: 1 when a scenario failed, 130 after Ctrl-C. */
async function bench(options: BenchOptions, signal: AbortSignal): Promise<number> {
  const startedAt = new Date().toISOString();
  const report: Report = {
    startedAt,
    quick: options.quick,
    machine: machineFacts(home),
    scenarios: [],
  };
  print(machineLines(report));
  const { quick, only } = options;
  const cpuProfiles = options.cpuProfiles && resolve(options.cpuProfiles);
  for (const scenario of scenarios) {
    if (only.length > 0 && !only.includes(scenario.name)) continue;
    progress(scenario.name);
    const common = { quick, signal, progress, ...(cpuProfiles ? { cpuProfiles } : {}) };
    const found = await runScenario(scenario, common);
    if (signal.aborted) return 130;
    report.scenarios.push(found);
    print(["", ...scenarioLines(found)]);
  }
  print(["", ...aimLines(report)]);
  const file = resolve(
    options.json ?? join(home, "results", `${startedAt.replaceAll(":", "-")}.json`),
  );
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, `${JSON.stringify(report, null, 2)}\n`);
  print(["", `Written to ${file}`]);
  return report.scenarios.some(({ error }) => error !== undefined) ? 1 : 0;
}

async function main(): Promise<number> {
  let options: BenchOptions;
  try {
    const names = scenarios.map(({ name }) => name);
    options = readOptions(process.argv.slice(2), names);
  } catch (error) {
    process.stderr.write(`${(error as Error).message}\n\n${USAGE}`);
    return 2;
  }
  if (options.help) {
    print([USAGE, ...scenarios.map(({ name, title }) => `  ${name}: ${title}`)]);
    return 0;
  }
  if (process.platform !== "linux") {
    process.stderr.write("The benchmark reads CPU time and memory from /proc: it needs Linux.\n");
    return 1;
  }
  const stop = new AbortController();
  const onSignal = (): void => {
    // Asking again does not help: the parts are being stopped already, and have a deadline.
    if (!stop.signal.aborted) progress("stopping everything");
    stop.abort(new Error("stopped by a signal"));
  };
  for (const name of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(name, onSignal);
  return bench(options, stop.signal);
}

process.exitCode = await main();
