import { checkFlags, readSbatchFlags, type SbatchFlag } from "../submit/sbatch-flags.ts";

/** A named set of defaults that a site offers and a pod chooses. */
export interface Flavor {
  name: string;
  description?: string;
  /** Whole CPUs for pods that state none. */
  cpus?: number;
  /** MiB for pods that state none. */
  memory?: number;
  /** As whom its pods run, if they name no user. */
  uid?: number;
  flags: readonly SbatchFlag[];
}

/** A flavor as the configuration file has it. */
export interface FlavorSettings {
  Name?: string;
  Description?: string;
  CPUDefault?: number;
  MemoryDefault?: string | number;
  UID?: number;
  SlurmFlags?: readonly string[];
}

/** Throws a sentence that begins with what is wrong. */
export function readFlavor(key: string, settings: FlavorSettings): Flavor {
  const { Name: name = key, Description: description, CPUDefault: cpus, UID: uid } = settings;
  const memory =
    settings.MemoryDefault === undefined ? undefined : memoryMiB(String(settings.MemoryDefault));
  let flags: SbatchFlag[];
  try {
    flags = (settings.SlurmFlags ?? []).flatMap((flag) => readSbatchFlags(flagWords(flag)));
    checkFlags(flags, "site");
  } catch (error) {
    throw new Error(`Flavors.${key}.SlurmFlags: ${(error as Error).message}`, { cause: error });
  }
  return {
    name,
    ...(description !== undefined && { description }),
    ...(cpus !== undefined && cpus > 0 && { cpus }),
    ...(memory !== undefined && memory > 0 && { memory }),
    ...(uid !== undefined && { uid }),
    flags,
  };
}

/** One entry is one flag: `--gres=gpu:1`, `-p gpu`, `--partition gpu`. */
function flagWords(flag: string): string[] {
  const trimmed = flag.trim();
  const space = /^(-\S+)\s+(.*)$/s.exec(trimmed);
  const [, name = "", value = ""] = space ?? [];
  return space === null || name.includes("=") ? [trimmed] : [name, value];
}

const UNITS: Readonly<Record<string, number>> = { "": 1, K: 2 ** 10, M: 2 ** 20, G: 2 ** 30 };

/**
 * A flavor's memory in MiB, rounded up: a whole number of bytes, or of `K`, `M` or `G` (with or without `B`, binary
 * multiples, any letter case). Throws a sentence.
 */
export function memoryMiB(text: string): number {
  const match = /^\s*(\d+)\s*([GMK]?)(B?)\s*$/i.exec(text);
  const [, digits = "", unit = "", bytes = ""] = match ?? [];
  const factor = UNITS[unit.toUpperCase()];
  if (match === null || factor === undefined || (unit === "" && bytes !== "")) {
    throw new Error(
      `MemoryDefault ${JSON.stringify(text)} is not a whole number with K, M or G behind it`,
    );
  }
  return Math.ceil((Number(digits) * factor) / 2 ** 20);
}

/**
 * The flavor of a pod: the one it names, else one that fits its GPUs, else the namespace's or the site's default.
 * `unknown` is set when it names one that does not exist.
 */
export function chooseFlavor(options: {
  flavors: readonly Flavor[];
  /** By `slurm-job.vk.io/flavor`. */
  named?: string;
  /** Sum over the pod's GPU resources. */
  gpus: number;
  fallback?: string;
}): { flavor?: Flavor; unknown?: string } {
  const { flavors, named, gpus, fallback } = options;
  const byName = (name: string | undefined) => flavors.find((one) => one.name === name);
  const chosen = byName(named);
  if (chosen !== undefined) return { flavor: chosen };
  const unknown = named === undefined || named === "" ? {} : { unknown: named };
  const withGpus = gpus > 0 ? flavorForGpus(flavors, gpus) : undefined;
  const flavor = withGpus ?? byName(fallback);
  return { ...unknown, ...(flavor && { flavor }) };
}

/** Just as many GPUs as asked for; else as few more as possible; else one that mentions GPUs. In the file's order. */
function flavorForGpus(flavors: readonly Flavor[], gpus: number): Flavor | undefined {
  const counted = flavors
    .map((flavor) => ({ flavor, count: gpuCount(flavor.flags) }))
    .filter(({ count }) => count !== undefined && count >= gpus)
    .toSorted((a, b) => (a.count ?? 0) - (b.count ?? 0));
  return (
    counted[0]?.flavor ??
    flavors.find(
      ({ name, flags }) =>
        gpuCount(flags) === undefined &&
        (name.includes("gpu") || flags.some(({ value = "" }) => value.includes("gpu"))),
    )
  );
}

/** GPUs that flags ask for, of a job on one node; `undefined` if they ask for none. */
export function gpuCount(flags: readonly SbatchFlag[]): number | undefined {
  const tasks = Number(flags.findLast(({ name }) => name === "ntasks")?.value ?? 1) || 1;
  const countsOf = (value: string) =>
    value.split(",").map((one) => Number(/(?:^|:)(\d+)$/.exec(one)?.[1] ?? 1));
  const counts = flags.flatMap(({ name, value = "" }) => {
    if (name === "gres") {
      return value
        .split(",")
        .filter((gres) => /^(?:gres[:/])?gpu(?::|$)/.test(gres))
        .map((gres) => Number(/(?::|=)(\d+)(?:\(.*\))?$/.exec(gres)?.[1] ?? 1));
    }
    if (name === "gpus" || name === "gpus-per-node") {
      return countsOf(value);
    }
    if (name === "gpus-per-task") return countsOf(value).map((count) => count * tasks);
    return [];
  });
  return counts.length === 0 ? undefined : counts.reduce((sum, count) => sum + count, 0);
}

/** GPUs of all vendors among a pod's extended resources. */
export function countGpus(extended: ReadonlyMap<string, number>): number {
  let sum = 0;
  for (const [name, units] of extended) if (name.endsWith("/gpu")) sum += units;
  return sum;
}
