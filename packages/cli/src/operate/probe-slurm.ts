import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { promisify } from "node:util";
import type { SlurmSettings } from "@interlink/plugin-slurm";
import { answered, PROBE_MS } from "./answered.ts";
import type { SlurmFacts } from "./facts.ts";

const run = promisify(execFile);

/** Asks sinfo for the partitions, and the configuration for those that it names. */
export async function probeSlurm(file: string, signal: AbortSignal): Promise<SlurmFacts> {
  const { readSlurmConfig } = await import("@interlink/plugin-slurm");
  const settings = await answered(async () => {
    const text = await readFile(file, "utf8");
    return readSlurmConfig({ file: { name: file, text }, env: {} }).options;
  });
  if (!settings.ok) return { file, partitions: settings, wanted: [] };
  const { sinfo } = settings.value.commands;
  const partitions = await answered(async () => {
    const { stdout } = await run(sinfo, ["--noheader", "--format=%R"], {
      signal,
      timeout: PROBE_MS,
    });
    return [...new Set(stdout.split("\n").map((line) => line.trim()))].filter((one) => one !== "");
  });
  return { file, partitions, wanted: partitionsOf(settings.value) };
}

/** Each partition that the configuration names, and where. */
export function partitionsOf(
  settings: Pick<SlurmSettings, "partitions" | "namespaces" | "flavors">,
): { partition: string; where: string }[] {
  const named = (text: string, where: string) =>
    text.split(",").map((partition) => ({ partition, where }));
  return [
    ...(settings.partitions ?? []).flatMap((one) => named(one, "Partitions")),
    ...[...settings.namespaces].flatMap(([namespace, { fixed }]) =>
      fixed
        .filter(({ name }) => name === "partition")
        .flatMap(({ value }) => named(value, `Namespaces.${namespace}.Partition`)),
    ),
  ];
}
