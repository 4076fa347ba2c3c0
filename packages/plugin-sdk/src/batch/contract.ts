import type { RemotePodStatus, RetrievedPodData } from "@interlink/protocol";
import type { Container, Pod } from "kubernetes-types/core/v1.js";

/**
 * Pods as batch jobs: one pod, one job (architecture page, decision 9). `BatchPod` is for schedulers what `PodSupervisor`
 * is for engines, with one difference: the lifecycle (init order, sidecars, restarts, probes, hooks, termination) runs
 * inside the job, by one fixed script, and the plugin only reads the records that it leaves.
 *
 * The way of the data: `planBatchPod` turns a resolved pod into a `BatchPod`; that is written as a directory (sites with a
 * shared file system) or packed behind the script (sites without); the script reads it as data and runs it; what it
 * leaves in the records directory, `readBatchRecords` turns into the pod's status.
 */
export interface BatchPod {
  /** What the script reads. Paths are relative to the pod's directory on the compute node. */
  files: readonly BatchFile[];
  /** By container name, in order: what the script runs, and what of it ends as a Kubernetes status. */
  containers: readonly BatchContainer[];
  /** The pod that it was planned from: what the records mean depends on its policies. */
  pod?: Pod;
  /** Letters and digits; another one when containers would be made of something else. For {@link encodeBatchUpdate}. */
  version?: string;
}

/** A file that the script finds in its directory. */
export interface BatchFile {
  /** Relative, `/`-separated, without `..`. */
  path: string;
  /** Bits as in Kubernetes, e.g. 0o600. What holds environment or volumes is for the job's user alone. */
  mode: number;
  content: Uint8Array;
}

/** A container of the pod, as far as the script has to know it. */
export interface BatchContainer {
  name: string;
  /** Ephemeral ones (`kubectl debug`) come to a pod by an update and are started once. */
  kind: "init" | "sidecar" | "regular" | "ephemeral";
  /** The image as the pod names it. */
  image: string;
}

/**
 * One word of a command line. Text is taken as it is; what only the compute node knows is named and filled in there by
 * the script, without any shell reading it. Parts of a word are joined with nothing between.
 */
export type BatchWord = readonly BatchWordPart[];

/** See {@link BatchWord}. */
export type BatchWordPart =
  | string
  /** Absolute path of a file of the pod, `/`-separated, relative to the pod's directory. */
  | { podPath: string }
  /** Absolute path of a file in the job's own directory, the one that the script is given. */
  | { jobPath: string }
  /** Absolute path of a file of this container's present attempt, e.g. its termination message. */
  | { attemptPath: string }
  /** What the first line of a file of the pod says, e.g. one that a preparation has made; nothing if it is not there. */
  | { podText: string }
  /**
   * What only the job knows of this attempt: its number (0 for the first), or the process id of the command line that
   * {@link BatchRuntime.run} gave (only in {@link BatchRuntime.exec}; it leads a process group of its own).
   */
  | { attemptValue: "number" | "pid" };

/**
 * The runtime on the compute node: Apptainer, Singularity, enroot, or none. Pure: it only says what is to be run. The
 * script runs it with the container's environment in the file that is named, never in its own.
 *
 * The environment lies in `{ podPath: batchEnvironmentFile(container) }` as `NAME=value` words with a NUL behind each. A
 * runtime that wants another form of it writes that by `files`; one that takes it from its own environment says so by
 * `exportPrefix`.
 */
export interface BatchRuntime {
  /**
   * Every variable of the container is also put into the environment of the command lines that `run` and `exec` give,
   * with this before its name: `APPTAINERENV_`, or `""` where no runtime stands between. Names that bash cannot set
   * (`a.b`) then come in by env(1) and so stand in the process list for the moment that it needs.
   */
  exportPrefix?: string;
  /** Files of this container in a form of the runtime's own, below {@link batchContainerDirectory}. */
  files?(container: BatchContainerSpec): readonly BatchFile[];
  /** Commands before the container, once per pod and image, in order, e.g. a pull under a lock. */
  prepare?(container: BatchContainerSpec): readonly (readonly BatchWord[])[];
  /** The command line that becomes the container. */
  run(container: BatchContainerSpec): readonly BatchWord[];
  /**
   * The container's first process has number 1 in a process namespace of its own, and whoever runs the job may enter
   * that: then signals go to that process alone, and commands inside are started there, with its root, environment and
   * working directory. `exec` tells what is done where it cannot be entered after all.
   */
  enter?: boolean;
  /**
   * The command line of a command inside the running container (probes, hooks, exec); `undefined`: the runtime starts
   * another container of the same image, volumes and environment for it. The command comes last: for `exec` by people the
   * words are planned with none, and theirs are put behind.
   */
  exec(container: BatchContainerSpec, command: readonly string[]): readonly BatchWord[];
}

/** A container whose every field is resolved. */
export interface BatchContainerSpec {
  kind: BatchContainer["kind"];
  container: Container;
  /** `undefined`: the image's own. `$(VAR)` is expanded. */
  command?: readonly string[];
  args?: readonly string[];
  /** Values byte-exact. The script has it as a NUL-separated file; secrets are in it. */
  env: readonly { name: string; value: string }[];
  mounts: readonly BatchMount[];
  /** Where the container's termination message goes; the file is there before the container starts. */
  terminationMessage?: BatchMount;
}

/** What a container sees at a path of its own. */
export interface BatchMount {
  source: BatchWord;
  mountPath: string;
  readOnly: boolean;
}

/** The pod, and what the site gives it. */
export interface PlanBatchPodOptions {
  data: RetrievedPodData;
  runtime: BatchRuntime;
  /** Volumes that the site provides: host paths and claims, by volume name; throws `PluginError` for what is refused. */
  hostVolume?: (volumeName: string) => string | undefined;
  /** Milliseconds between restarts of a container that ends again and again; Kubernetes' 10 s, doubling to 5 min. */
  backOff?: { firstMs: number; mostMs: number };
}

/** What the script has recorded so far; missing records are what has not happened yet. */
export interface BatchRecords {
  /** RFC 3339. When the script began on the compute node, and when it ended by itself. */
  startedAt?: string;
  finishedAt?: string;
  /** RFC 3339. When someone asked the script by SIGTERM to end its pod: the plugin, or the resource system itself. */
  askedToEndAt?: string;
  /** Of the machine that the script runs on. */
  hostName?: string;
  /** As the wire has them, made of the records alone. What the resource system knows is put over it by the plugin. */
  containers: RemotePodStatus["containers"];
  initContainers: RemotePodStatus["containers"];
  ephemeralContainers?: RemotePodStatus["containers"];
  /** What a kubelet would tell as events, oldest first; the newest hundred. */
  events?: readonly BatchEvent[];
  /** The script could not run the pod at all. */
  failed?: { reason: string; message: string };
  /** Of the script itself, with `finishedAt`: 0 when the pod has succeeded, else the highest exit code that counts. */
  exitCode?: number;
}

/** An event in a kubelet's words. */
export interface BatchEvent {
  /** RFC 3339. */
  at: string;
  type: "Normal" | "Warning";
  reason: string;
  message: string;
  container?: string;
}

/** Where {@link BatchPod.files} has what belongs to one container; `container` is its name. */
export function batchContainerDirectory(container: string): string {
  return `spec/${container}`;
}

/** The container's environment: `NAME=value` words with a NUL behind each, byte-exact. */
export function batchEnvironmentFile(container: string): string {
  return `${batchContainerDirectory(container)}/env`;
}
