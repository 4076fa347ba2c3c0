import { setMaxListeners } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { killProcessesIn } from "./parts/leftovers.ts";
import type { ScenarioReport } from "./report/report.ts";
import type { BenchContext, Scenario } from "./scenario.ts";

/** Runs one scenario in a fresh directory, within its time, and removes everything that it made. Never rejects. */
export async function runScenario(
  scenario: Scenario,
  options: Pick<BenchContext, "quick" | "cpuProfiles" | "signal" | "progress">,
): Promise<ScenarioReport> {
  const { name, title, timeoutMs } = scenario;
  const directory = await mkdtemp(join(tmpdir(), "interlink-bench-"));
  const begun = performance.now();
  const overtime = new AbortController();
  const timer = setTimeout(
    () => overtime.abort(new Error(`${name} took longer than ${timeoutMs / 1000} s`)),
    timeoutMs,
  );
  const report = (rest: Pick<ScenarioReport, "findings" | "error">): ScenarioReport => ({
    name,
    title,
    seconds: (performance.now() - begun) / 1000,
    ...rest,
  });
  try {
    const signal = AbortSignal.any([options.signal, overtime.signal]);
    // Every request of a load listens to it.
    setMaxListeners(0, signal);
    const cpuProfiles = options.cpuProfiles && join(options.cpuProfiles, name);
    const findings = await scenario.run({
      ...options,
      signal,
      directory,
      ...(cpuProfiles ? { cpuProfiles } : {}),
    });
    return report({ findings });
  } catch (error) {
    return report({ error: wordsOf(error) });
  } finally {
    clearTimeout(timer);
    await killProcessesIn(directory);
    // Processes that were just killed may still be writing.
    await rm(directory, { recursive: true, force: true, maxRetries: 5 });
  }
}

function wordsOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
