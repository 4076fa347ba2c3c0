import { execFile } from "node:child_process";
import { promisify } from "node:util";
import type { SlurmSettings } from "@interlink/plugin-slurm";
import { neededFile } from "../needed-file.ts";
import { answered, PROBE_MS } from "./answered.ts";
import type { SlurmFacts } from "./facts.ts";

const run = promisify(execFile);

/** Asks sinfo for the partitions, and the configuration for those that it names. */
export async function probeSlurm(file: string, signal: AbortSignal): Promise<SlurmFacts> {
  const { readSlurmConfig } = await import("@interlink/plugin-slurm");
  const settings = await answered(async () => {
    const text = await neededFile(file, "--slurm");
    return readSlurmConfig({ file: { name: file, text }, env: {} }).options;
  });
  if (!settings.ok) return { file, partitions: settings, unusable: true, wanted: [] };
  const { sinfo } = settings.value.commands;
  const told = await answered(async () => {
    const { stdout } = await run(sinfo, ["--noheader", "--format=%P %a"], {
      signal,
      timeout: PROBE_MS,
    });
    return parsePartitions(stdout);
  });
  const wanted = partitionsOf(settings.value);
  if (!told.ok) return { file, partitions: told, wanted };
  const { names, defaultPartition, down } = told.value;
  return {
    file,
    partitions: { ok: true, value: names },
    ...(defaultPartition === undefined ? {} : { defaultPartition }),
    down,
    needsDefault: needsDefault(settings.value),
    wanted,
  };
}

/** Reads `sinfo --format="%P %a"`: the default partition has a star behind its name. */
export function parsePartitions(output: string): {
  names: readonly string[];
  defaultPartition?: string;
  down: readonly string[];
} {
  const lines = output.split("\n").flatMap((line) => {
    const [, name = "", star = "", state = ""] = /^(\S+?)(\*?)(?: +(\S+))? *$/.exec(line) ?? [];
    return name === "" ? [] : [{ name, isDefault: star === "*", state }];
  });
  const defaultPartition = lines.find(({ isDefault }) => isDefault)?.name;
  return {
    names: [...new Set(lines.map(({ name }) => name))],
    ...(defaultPartition === undefined ? {} : { defaultPartition }),
    down: [...new Set(lines.filter(({ state }) => state === "down").map(({ name }) => name))],
  };
}

/** Whether a pod that says nothing of itself is submitted without a partition. */
function needsDefault({
  flavors,
  defaultFlavor,
}: Pick<SlurmSettings, "flavors" | "defaultFlavor">): boolean {
  const fallback = flavors.find(({ name }) => name === defaultFlavor);
  return fallback?.flags.some(({ name }) => name === "partition") !== true;
}

/** Each partition that the configuration names, and where. */
export function partitionsOf(
  settings: Pick<SlurmSettings, "partitions" | "namespaces" | "flavors">,
): { partition: string; where: string }[] {
  const named = (text: string, where: string) =>
    text.split(",").map((partition) => ({ partition, where }));
  return [
    ...(settings.partitions ?? []).flatMap((one) => named(one, "Partitions")),
    ...settings.flavors.flatMap(({ name: flavor, flags }) =>
      flags
        .filter(({ name }) => name === "partition")
        .flatMap(({ value = "" }) => named(value, `Flavors.${flavor}.SlurmFlags`)),
    ),
    ...[...settings.namespaces].flatMap(([namespace, { fixed }]) =>
      fixed
        .filter(({ name }) => name === "partition")
        .flatMap(({ value }) => named(value, `Namespaces.${namespace}.Partition`)),
    ),
  ];
}
