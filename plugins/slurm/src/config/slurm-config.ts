import { resolve } from "node:path";
import { ConfigError, type ConfigSources, readConfig } from "@interlink/plugin-sdk";
import type { TunnelSettings } from "../pods/tunnel-script.ts";
import { fullName } from "../submit/sbatch-flags.ts";
import { type FileSettings, SLURM_CONFIG } from "./config-schema.ts";
import { type Flavor, readFlavor } from "./flavor.ts";
import { type RuntimeSettings, readRuntime } from "./runtime-settings.ts";
import { readTunnel } from "./tunnel-settings.ts";
import { readUidRange, type UidRange } from "./user-ids.ts";

/** How a site runs pods as Slurm jobs. Everything has a default. */
export interface SlurmSettings {
  commands: SlurmCommands;
  /** Absolute; the first line of the job's script. */
  bash: string;
  /** Shell text of the site that every job reads before its pod begins; `""`: none. */
  commandPrefix: string;
  runtime: RuntimeSettings;
  /** Put before image names that have neither a scheme nor an absolute path; default `docker://`. */
  imagePrefix: string;
  /** Each job opens one before its pod begins. */
  tunnel?: TunnelSettings;
  /** Images are pulled where the plugin runs, before a job begins, into the runtime's directory of images. */
  pullsBefore: boolean;
  /** Deadline of one such pull. */
  pullSeconds: number;
  /** `false`: pods that mount ConfigMaps, Secrets, projected volumes or emptyDirs are refused. */
  exportPodData: boolean;
  /** Compute nodes see `root` under the same path; else everything travels in the job's script. */
  sharedFileSystem: boolean;
  probes: boolean;
  flavors: readonly Flavor[];
  defaultFlavor?: string;
  defaultUid?: number;
  allowedUids: readonly UidRange[];
  namespaces: ReadonlyMap<string, NamespaceSettings>;
  /** Full names of options that pods may not set. */
  forbiddenFlags: ReadonlySet<string>;
  /** Pods may bring shell text for the compute node (`pre-exec`, wstunnel). */
  shellAnnotations: boolean;
  /** Pods may add options to the runtime's command line. */
  runtimeOptions: boolean;
  /** Generic resource of Slurm by Kubernetes resource, e.g. `nvidia.com/gpu` → `gpu`. */
  gres: ReadonlyMap<string, string>;
  /** Ask Slurm for local disk (`--tmp`) as pods ask for ephemeral storage. */
  tmpDisk: boolean;
  /** Slurm may run a job again whose node failed. */
  requeue: boolean;
  /** Directories below which pods may mount hostPath volumes. */
  hostPaths: readonly string[];
  claims: readonly ClaimRule[];
  taints?: readonly { key: string; value?: string; effect: string }[];
  /** Absolute path of a program that tells the node's capacity as JSON. */
  resourceScript?: string;
  /** Partitions that are counted as the node's capacity; `undefined`: all. */
  partitions?: readonly string[];
  /** Told as the node's capacity of pods. */
  pods?: number;
  /** Variables of the plugin that jobs get. */
  passEnvironment: readonly string[];
  /** Between two questions to Slurm while something runs. */
  pollSeconds: number;
  /** Deadline of each of Slurm's programs. */
  commandSeconds: number;
}

/** Slurm's programs where the plugin runs: paths, or names that are looked for in PATH. */
export interface SlurmCommands {
  sbatch: string;
  squeue: string;
  scancel: string;
  scontrol: string;
  sacct: string;
  sinfo: string;
  srun: string;
}

/** What a site sets for the pods of one namespace. */
export interface NamespaceSettings {
  /** Options of sbatch that its pods run with and cannot change. */
  fixed: readonly { name: string; value: string }[];
  flavor?: string;
}

/** Where the claims of a namespace lie: `{namespace}` and `{claim}` in `directory` are filled in. */
export interface ClaimRule {
  namespace?: string;
  claim?: string;
  directory: string;
  readOnly?: boolean;
}

/** A configuration, read. */
export interface SlurmConfig {
  options: SlurmSettings;
  /** Directory of the jobs, if the file names it. */
  root?: string;
  /** `host:port` or `unix:///path`, likewise. */
  listen?: string;
  logLevel?: "debug" | "error";
  /** Sentences for the operator at start-up: what is ignored or different, and why. */
  notices: string[];
}

/** Of this process; the plugin reads a few that the earlier plugin read. */
export type SlurmEnvironment = Readonly<Record<string, string | undefined>>;

const DEFAULT_GRES: Readonly<Record<string, string>> = {
  "nvidia.com/gpu": "gpu",
  "amd.com/gpu": "gpu",
};

/**
 * Reads the configuration file, and the variables of the earlier plugin, which go before it. Throws `ConfigError` with
 * every problem, its place and what is allowed.
 */
export function readSlurmConfig(sources: ConfigSources): SlurmConfig {
  const { value: file, notices } = readConfig(SLURM_CONFIG, sources);
  try {
    return { options: readSettings(file, sources.env), ...readServing(file, notices), notices };
  } catch (error) {
    const where = sources.file === undefined ? "" : `${sources.file.name}: `;
    throw new ConfigError("invalid", [`${where}${(error as Error).message}.`], { cause: error });
  }
}

function readSettings(file: FileSettings, env: SlurmEnvironment): SlurmSettings {
  const { Taints: taints, ResourceScriptPath: resourceScript, DefaultUID: defaultUid } = file;
  const flavors = Object.entries(file.Flavors ?? {}).map(([key, one]) => readFlavor(key, one));
  const hasFlavor = (name: string) => flavors.some((one) => one.name === name);
  const namespaces = new Map(
    Object.entries(file.Namespaces ?? {}).map(([name, one]) => {
      if (one.Flavor !== undefined && !hasFlavor(one.Flavor)) {
        throw new Error(`Namespaces.${name}.Flavor: there is no flavor "${one.Flavor}"`);
      }
      return [name, readNamespace(one)];
    }),
  );
  const defaultFlavor = file.DefaultFlavor || undefined;
  if (defaultFlavor !== undefined && !hasFlavor(defaultFlavor)) {
    throw new Error(`DefaultFlavor: there is no flavor "${defaultFlavor}"`);
  }
  const tunnel = readTunnel(file);
  return {
    commands: {
      sbatch: file.SbatchPath ?? "sbatch",
      squeue: file.SqueuePath ?? "squeue",
      scancel: file.ScancelPath ?? "scancel",
      scontrol: file.ScontrolPath ?? "scontrol",
      sacct: file.SacctPath ?? "sacct",
      srun: file.SrunPath ?? "srun",
      sinfo: file.SinfoPath ?? "sinfo",
    },
    bash: file.BashPath || "/bin/bash",
    commandPrefix: file.CommandPrefix ?? "",
    runtime: readRuntime(file),
    imagePrefix: file.ImagePrefix ?? "docker://",
    ...(tunnel && { tunnel }),
    pullsBefore: readPullsBefore(file),
    pullSeconds: file.PullSeconds ?? 3600,
    exportPodData: file.ExportPodData ?? true,
    sharedFileSystem: readSharedFileSystem(file, env),
    probes: file.EnableProbes ?? true,
    flavors,
    ...(defaultFlavor !== undefined && { defaultFlavor }),
    ...(defaultUid !== undefined && { defaultUid }),
    allowedUids: (file.AllowedUIDs ?? []).map(readUidRange),
    namespaces,
    forbiddenFlags: new Set(
      (file.ForbiddenFlags ?? []).map((flag) => fullName(flag.replace(/^--/, ""))),
    ),
    shellAnnotations: file.AllowShellAnnotations ?? false,
    runtimeOptions: file.AllowRuntimeOptions ?? true,
    gres: new Map(Object.entries({ ...DEFAULT_GRES, ...file.Gres })),
    tmpDisk: file.TmpDisk ?? false,
    requeue: file.Requeue ?? false,
    hostPaths: file.HostPaths ?? [],
    claims: (file.Claims ?? []).map(({ Namespace, Claim, Directory, ReadOnly }) => ({
      ...(Namespace !== undefined && { namespace: Namespace }),
      ...(Claim !== undefined && { claim: Claim }),
      directory: Directory,
      ...(ReadOnly !== undefined && { readOnly: ReadOnly }),
    })),
    ...(taints !== undefined && {
      taints: taints.map(({ Key: key, Value: value, Effect: effect }) => ({
        key,
        ...(value !== undefined && { value }),
        effect,
      })),
    }),
    ...(resourceScript && { resourceScript: resolve(resourceScript) }),
    ...(file.Partitions !== undefined && { partitions: file.Partitions }),
    ...(file.Pods !== undefined && { pods: file.Pods }),
    passEnvironment: file.PassEnvironment ?? [],
    pollSeconds: file.PollSeconds ?? 5,
    commandSeconds: file.CommandSeconds ?? 30,
  };
}

function readNamespace(one: NonNullable<FileSettings["Namespaces"]>[string]): NamespaceSettings {
  const { Account: account, QOS: qos, Partition: partition, Reservation: reservation } = one;
  return {
    fixed: Object.entries({ account, qos, partition, reservation }).flatMap(([name, value]) =>
      value === undefined ? [] : [{ name, value }],
    ),
    ...(one.Flavor !== undefined && { flavor: one.Flavor }),
  };
}

function readSharedFileSystem(file: FileSettings, env: SlurmEnvironment): boolean {
  const said = env["SHARED_FS"];
  return said === undefined || said === "" ? (file.SharedFileSystem ?? true) : said === "true";
}

function readPullsBefore(file: FileSettings): boolean {
  if (file.PullOnLoginNode !== true) return false;
  if (file.ImageCache !== undefined) return true;
  throw new Error(
    "PullOnLoginNode: name the directory in ImageCache; compute nodes must see it under the same path",
  );
}

function readServing(
  file: FileSettings,
  notices: string[],
): Pick<SlurmConfig, "root" | "listen" | "logLevel"> {
  const { SidecarPort: port = "" } = file;
  const listen = file.Socket || (port === "" ? undefined : `127.0.0.1:${port}`);
  // The earlier plugin was open to every machine; it is not by default any more.
  if (listen !== undefined && !file.Socket) {
    notices.push("SidecarPort listens on 127.0.0.1 only; use --listen to open it to others.");
  }
  const logLevel = file.VerboseLogging ? "debug" : file.ErrorsOnlyLogging ? "error" : undefined;
  return {
    ...(file.DataRootFolder !== undefined && { root: file.DataRootFolder }),
    ...(listen !== undefined && { listen }),
    ...(logLevel !== undefined && { logLevel }),
  };
}
