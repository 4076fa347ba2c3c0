import { PluginError } from "@interlink/plugin-sdk";
import { type Flavor, gpuCount } from "../config/flavor.ts";
import type { PodResources } from "./pod-resources.ts";
import { flagWord, lastOfEach, type SbatchFlag } from "./sbatch-flags.ts";
import { limitMinutes, limitSeconds } from "./time-limit.ts";

/** What the options of a pod's job are made of. */
export interface JobWishes {
  resources: PodResources;
  flavor?: Flavor;
  /** From the pod's annotation, already checked. */
  flags: readonly SbatchFlag[];
  /** Of its namespace; nothing stands above them. */
  fixed: readonly { name: string; value: string }[];
  /** Generic resource of Slurm by Kubernetes resource. */
  gres: ReadonlyMap<string, string>;
  tmpDisk: boolean;
  activeDeadlineSeconds?: number;
}

const CPU_OPTIONS = ["cpus-per-task", "cpus-per-gpu"];
const MEMORY_OPTIONS = ["mem", "mem-per-cpu", "mem-per-gpu"];
const GPU_OPTIONS = ["gpus", "gpus-per-node", "gpus-per-task"];

/**
 * The options of a pod's job: the flavor's, then the pod's own, of which the last one of each counts; over them what the
 * pod states as resources and its deadline; over all what its namespace fixes. Throws `PluginError` `rejected` in words
 * for the pod's owner.
 */
export function jobFlags(wishes: JobWishes): SbatchFlag[] {
  const { resources, flavor, fixed, tmpDisk } = wishes;
  checkFixed(wishes.flags, fixed);
  const given = onlyLastOf(CPU_OPTIONS, [...(flavor?.flags ?? []), ...wishes.flags]);
  let flags = onlyLastOf(MEMORY_OPTIONS, given);
  const has = (...names: string[]) => flags.some(({ name }) => names.includes(name));
  const without = (...names: string[]) => flags.filter(({ name }) => !names.includes(name));

  const cpus = resources.cpus ?? (has(...CPU_OPTIONS) ? undefined : (flavor?.cpus ?? 1));
  if (cpus !== undefined) {
    flags = [...without(...CPU_OPTIONS), { name: "cpus-per-task", value: String(cpus) }];
  }
  const memory = resources.memory ?? (has(...MEMORY_OPTIONS) ? undefined : flavor?.memory);
  if (memory !== undefined) {
    flags = [...without(...MEMORY_OPTIONS), { name: "mem", value: `${memory}M` }];
  }
  if (tmpDisk && resources.storage !== undefined) {
    flags = [...without("tmp"), { name: "tmp", value: `${resources.storage}M` }];
  }
  flags = withGres(flags, wishedGres(wishes));
  return lastOfEach([...withDeadline(flags, wishes.activeDeadlineSeconds), ...fixed]);
}

function checkFixed(flags: readonly SbatchFlag[], fixed: JobWishes["fixed"]): void {
  for (const { name, value } of fixed) {
    const other = flags.find((flag) => flag.name === name && flag.value !== value);
    if (other === undefined) continue;
    throw new PluginError(
      "rejected",
      `The pod asks for --${name}=${other.value ?? ""}, but pods of its namespace run with --${name}=${value}. Leave it out of the annotation slurm-job.vk.io/flags.`,
    );
  }
}

/** Options of which Slurm takes only one: the last. */
function onlyLastOf(names: readonly string[], flags: readonly SbatchFlag[]): SbatchFlag[] {
  const last = flags.findLast(({ name }) => names.includes(name));
  return lastOfEach(flags.filter((flag) => !names.includes(flag.name) || flag === last));
}

/** Generic resources by Slurm's name and type, as the pod's extended resources ask for them. */
function wishedGres({ resources, gres }: JobWishes): Map<string, number> {
  const wished = new Map<string, number>();
  for (const [resource, units] of resources.extended) {
    const name = gres.get(resource);
    if (name === undefined) {
      throw new PluginError(
        "rejected",
        `The pod asks for ${resource}, which this site does not offer; the resources it offers are ${[...gres.keys()].join(", ")}.`,
      );
    }
    wished.set(name, (wished.get(name) ?? 0) + units);
  }
  return wished;
}

/** `flags` with at least these; GPUs that flags ask for already count, and keep their type. */
function withGres(flags: readonly SbatchFlag[], wished: ReadonlyMap<string, number>): SbatchFlag[] {
  if (wished.size === 0) return [...flags];
  const listed = (flags.find(({ name }) => name === "gres")?.value ?? "").split(",");
  let entries = listed.filter((entry) => entry !== "");
  let rest = flags.filter(({ name }) => name !== "gres");
  for (const [name, units] of wished) {
    const [kind = ""] = name.split(":");
    if (kind === "gpu") {
      if ((gpuCount(flags) ?? 0) >= units) continue;
      rest = rest.filter((flag) => !GPU_OPTIONS.includes(flag.name));
    }
    const own = entries.filter((entry) => entry.replace(/^gres[:/]/, "").split(":")[0] === kind);
    const type = name.split(":")[1] ?? typeOf(own);
    entries = entries.filter((entry) => !own.includes(entry));
    entries.push(type === undefined ? `${kind}:${units}` : `${kind}:${type}:${units}`);
  }
  return entries.length === 0 ? rest : [...rest, { name: "gres", value: entries.join(",") }];
}

/** The type that one entry (`gpu:a100:2`) names. */
function typeOf(entries: readonly string[]): string | undefined {
  const [, type] = /^(?:gres[:/])?[^:]+:([A-Za-z][^:]*)/.exec(entries[0] ?? "") ?? [];
  return entries.length === 1 ? type : undefined;
}

/** The pod's deadline as the job's time limit, unless a shorter one is set. */
function withDeadline(flags: readonly SbatchFlag[], seconds: number | undefined): SbatchFlag[] {
  if (seconds === undefined || seconds <= 0) return [...flags];
  const own = limitSeconds(flags.find(({ name }) => name === "time")?.value ?? "") ?? 0;
  if (own > 0 && own <= seconds) return [...flags];
  return [
    ...flags.filter(({ name }) => name !== "time"),
    { name: "time", value: limitMinutes(seconds) },
  ];
}

/** What the plugin itself sets on every job. */
export interface SubmissionFacts {
  /** By which the job is found again. */
  comment: string;
  /** Unless the pod names another. */
  jobName: string;
  /** Absolute; of what the job's script says beside its containers' output. */
  output: string;
  /** Absolute; exists on the compute nodes. */
  directory: string;
  requeue: boolean;
  /** It waits until it is released. */
  hold: boolean;
  /** As whom it runs, if not as this process's user. */
  user?: { uid: number; gid: number };
  /** Absolute path of the script on this machine, and its arguments. */
  script: readonly string[];
}

/** The words behind `sbatch`. Nothing of them is read by a shell, here or on the compute node. */
export function sbatchArguments(flags: readonly SbatchFlag[], facts: SubmissionFacts): string[] {
  const has = (name: string) => flags.some((flag) => flag.name === name);
  const own: SbatchFlag[] = [
    ...(has("job-name") ? [] : [{ name: "job-name", value: facts.jobName }]),
    { name: "comment", value: facts.comment },
    { name: "output", value: facts.output.replaceAll("%", "%%") },
    { name: "open-mode", value: "append" },
    ...(has("chdir") ? [] : [{ name: "chdir", value: facts.directory }]),
    ...(has("requeue") || has("no-requeue")
      ? []
      : [{ name: facts.requeue ? "requeue" : "no-requeue" }]),
    ...(facts.hold && !has("hold") ? [{ name: "hold" }] : []),
    ...(facts.user === undefined
      ? []
      : [
          { name: "uid", value: String(facts.user.uid) },
          { name: "gid", value: String(facts.user.gid) },
        ]),
  ];
  return ["--parsable", ...[...own, ...flags].map(flagWord), ...facts.script];
}
