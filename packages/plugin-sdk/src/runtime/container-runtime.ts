import type {
  ContainerStats,
  LogStreamName,
  NetworkStats,
  PortConnection,
  ProcessStreams,
  StatsAnswer,
  TerminalSize,
} from "@interlink/protocol";
import type { Container, Pod, SecurityContext } from "kubernetes-types/core/v1.js";

/**
 * Anything that can run containers live: a Docker engine, Podman, host processes, a VM over SSH.
 *
 * The `PodSupervisor` decides *what* should happen (order, restarts, probes, hooks, termination); a runtime only does
 * single steps. Each step is idempotent: the supervisor repeats it after a crash. Containers must outlive the process
 * that started them, and be found again by `list()`.
 */
export interface ContainerRuntime {
  /** `containerID` prefix, e.g. `docker` in `docker://3f2a…`. */
  readonly type: string;
  /** It pulls images, and wants the pod's pull secrets for that (feature `pull-secrets`). */
  readonly wantsPullSecrets?: boolean;
  /** Its logs know what came from stdout and what from stderr (feature `log-streams`). */
  readonly keepsStreamsApart?: boolean;

  /** Fails with a sentence that says what to do when the runtime cannot be used. */
  start?(signal: AbortSignal): Promise<void>;
  capacity(signal: AbortSignal): Promise<RuntimeCapacity>;

  /** Network namespace and what else the containers of a pod share. Idempotent by UID. */
  ensureSandbox(sandbox: SandboxSpec, signal: AbortSignal): Promise<SandboxState>;
  /** Removes sandbox, and every container of that pod that is still there (killing it). Unknown UID: resolve. */
  removeSandbox(uid: string, signal: AbortSignal): Promise<void>;
  /** Every container of the pod has ended for good: let go of what the sandbox holds (network); logs stay. Repeatable. */
  stopSandbox?(uid: string, signal: AbortSignal): Promise<void>;

  /**
   * Make the image present by its pull policy. Throws `ImageError`, whose code is the waiting reason
   * (`ErrImagePull`, `ErrImageNeverPull`, `InvalidImageName` …) and whose message has the engine's own words.
   */
  ensureImage(request: ImageRequest, signal: AbortSignal): Promise<ImageState>;

  /**
   * Idempotent by (uid, container name, attempt): an existing one is returned, started or not. Throws `RuntimeError`
   * `InvalidConfig` or `CreateFailed` in the engine's words.
   */
  createContainer(spec: ContainerSpec, signal: AbortSignal): Promise<CreatedContainer>;
  /** No-op when already started, or already ended. Throws `RuntimeError` `StartFailed` if it can never start. */
  startContainer(handle: ContainerHandle, signal: AbortSignal): Promise<void>;
  /**
   * Stop signal (`container.lifecycle.stopSignal`, else the image's, else SIGTERM), up to `graceSeconds`, then SIGKILL
   * of everything in it. Resolves when it has ended. No-op when ended. A created one is made unable to start. Aborting
   * ends only the waiting; a second call may come with a shorter grace.
   */
  stopContainer(handle: ContainerHandle, graceSeconds: number, signal: AbortSignal): Promise<void>;
  /** Only ended ones. Its log goes with it. Unknown: resolve. */
  removeContainer(handle: ContainerHandle, signal: AbortSignal): Promise<void>;

  /**
   * Every container (all attempts) of every pod of this plugin, in one question. Throws if it cannot know.
   * `only`: just the pods with these UIDs are of interest; answering with more is allowed.
   */
  list(signal: AbortSignal, only?: ReadonlySet<string>): Promise<ObservedContainer[]>;
  /** Calls back soon after any container of this plugin starts or ends. A hint: the supervisor still asks `list()`. */
  onChange(listener: (change: { uid: string }) => void): () => void;

  /** Bytes of the log of one attempt. */
  logs(
    handle: ContainerHandle,
    options: RuntimeLogOptions,
    signal: AbortSignal,
  ): AsyncIterable<Uint8Array>;

  /** Run a command in the running container (probes, hooks). Output is cut at `maxOutputBytes`. */
  exec(
    handle: ContainerHandle,
    argv: readonly string[],
    options: { maxOutputBytes: number },
    signal: AbortSignal,
  ): Promise<{ exitCode: number; output: string }>;

  /**
   * A process with its own streams in the running container (`kubectl exec`). Resolves when it has begun. Closing one
   * with a terminal hangs up on it. It ends with the container.
   */
  openExec?(
    handle: ContainerHandle,
    request: { command: readonly string[]; size?: TerminalSize } & StreamRequest,
    signal: AbortSignal,
  ): Promise<ProcessStreams>;
  /**
   * The streams of the container's own process, from now on; `stdin` only works if the container has `stdin: true`. They
   * end with the container, as a success whatever its exit code: that is how a kubelet tells it.
   */
  openAttach?(
    handle: ContainerHandle,
    request: StreamRequest,
    signal: AbortSignal,
  ): Promise<ProcessStreams>;
  /** A TCP connection to a port in the pod's network, on its loopback. */
  connect?(uid: string, port: number, signal: AbortSignal): Promise<PortConnection>;
  /** What each running container uses, in one question; those that cannot be measured are left out. */
  stats?(signal: AbortSignal): Promise<RuntimeStats>;

  /**
   * Bytes that a running container has written to its own layer, for its limit of ephemeral storage; `undefined` if it
   * is not there. Asked now and then, only for pods with such limits.
   */
  layerBytes?(handle: ContainerHandle, signal: AbortSignal): Promise<number | undefined>;

  /**
   * The volumes of the pod that consist of files have another content in its directory, from which `ensureSandbox` and
   * `createContainer` have them. For runtimes that do not mount them from there.
   */
  volumesChanged?(uid: string, signal: AbortSignal): Promise<void>;

  /** Where the host can reach the pod's ports for HTTP, TCP and gRPC probes; `undefined` if it cannot. */
  probeAddress(uid: string, signal: AbortSignal): Promise<string | undefined>;

  close(): Promise<void>;
}

/** Which streams are wanted. */
export interface StreamRequest {
  stdin: boolean;
  stdout: boolean;
  stderr: boolean;
  tty: boolean;
}

/** What is used now. */
export interface RuntimeStats {
  /** Of the machine. */
  node?: StatsAnswer["node"];
  containers: ({ uid: string; containerName: string } & Omit<ContainerStats, "name">)[];
  /** By pod UID. */
  network?: ReadonlyMap<string, NetworkStats>;
}

/** What the node of this runtime can take in all, told as its capacity. */
export interface RuntimeCapacity {
  /** Kubernetes quantities. */
  cpu: string;
  memory: string;
  pods: string;
  /** Of the disk that containers and emptyDirs are on. */
  ephemeralStorage?: string;
  extended?: Record<string, string>;
}

/** The pod that needs a sandbox. */
export interface SandboxSpec {
  pod: Pod;
  /** Directory of this pod that the runtime may use, absolute, exists. */
  directory: string;
}

/** A sandbox that runs. */
export interface SandboxState {
  /** In order of preference; empty when the pod has no address of its own. */
  podIPs: string[];
  /**
   * Another word for each time that the sandbox was made or started: what ran in the one before is lost with it, and
   * the pod begins anew with its init containers. Left out by runtimes that cannot tell; for theirs nothing is lost.
   */
  instance?: string;
}

/** An image that a container is about to need. */
export interface ImageRequest {
  uid: string;
  image: string;
  pullPolicy: "Always" | "IfNotPresent" | "Never";
  /** `kubernetes.io/dockerconfigjson` contents, in order of the pod's imagePullSecrets. Never logged. */
  pullSecrets: readonly string[];
  /**
   * Told when a pull really starts and when it is over, for the Pulling and Pulled events; and in between, as often as
   * the runtime likes, how far it is.
   */
  onPull?: (
    step:
      | { phase: "pulling" }
      | ({ phase: "progress" } & PullProgress)
      | { phase: "pulled"; milliseconds: number; bytes?: number },
  ) => void;
}

/** How far a pull is. */
export interface PullProgress {
  /** `total` may grow while the registry is asked; layers that were there already count as fetched. */
  layers: { fetched: number; total: number };
  /** Received so far, as they are sent. */
  bytes?: number;
}

/** An image that is there. */
export interface ImageState {
  /** `repo@sha256:…` or the engine's id. */
  imageID: string;
  /** Whether it had to be fetched; `false` gives the event "already present on machine". */
  pulled: boolean;
  /** The runtime has no images; what the pod says about them is not told as events either. */
  isIgnored?: boolean;
}

/** One attempt of a container, with everything resolved. */
export interface ContainerSpec {
  pod: Pod;
  kind: "init" | "sidecar" | "regular" | "ephemeral";
  container: Container;
  /**
   * Of an ephemeral container: the running one whose processes it is to see (`targetContainerName`), where the runtime
   * can do that; others leave it out of account.
   */
  target?: ContainerHandle;
  /** 0 for the first, then counted up by each restart; equals `restartCount`. */
  attempt: number;
  imageID: string;
  /** `undefined` = the image's ENTRYPOINT/CMD; `$(VAR)` already expanded. */
  command?: readonly string[];
  args?: readonly string[];
  /** In order, resolved, unique names, values byte-exact. Secrets in it: never log. */
  env: readonly { name: string; value: string }[];
  mounts: readonly ContainerMount[];
  /** File on the host, exists and is empty, to be bound at `container.terminationMessagePath`. */
  terminationMessageFile: string;
  /** Directory of this container attempt that the runtime may use, absolute, exists, mode 0700. */
  directory: string;
  /** Where a runtime that keeps logs as files may write this attempt's raw log; its directory exists. */
  logFile: string;
  securityContext?: SecurityContext;
}

/** What a container sees of the host at a path of its own. */
export interface ContainerMount {
  /** Absolute host path, file or directory; subPath already applied and checked. */
  hostPath: string;
  mountPath: string;
  readOnly: boolean;
  /** For emptyDir `medium: Memory`. */
  tmpfs?: { sizeBytes?: number };
  /**
   * Containers may write to this directory (absolute, without links), and so exchange a part of `hostPath` below it for
   * a link after it was checked. A runtime that mounts by name must hold on to what was checked (`openBelow`), or
   * refuse. Left out where `hostPath` stays what it is.
   */
  within?: string;
}

/** Which attempt of which container is meant. */
export interface ContainerHandle {
  uid: string;
  containerName: string;
  attempt: number;
  /** The runtime's own id, without prefix. */
  id: string;
}

/** An attempt that has been made, and need not have been started. */
export interface CreatedContainer extends ContainerHandle {
  /** What the pod's owner should know about it, told as Warning events when the container is made. */
  warnings?: { reason: string; message: string }[];
}

/** What a runtime knows of one attempt. */
export interface ObservedContainer extends ContainerHandle {
  /** `unknown`: it exists, but its state cannot be told now; what was known stays. */
  state: "created" | "running" | "exited" | "unknown";
  /** RFC 3339. */
  startedAt?: string;
  finishedAt?: string;
  /** 128+n when killed by signal n. */
  exitCode?: number;
  oomKilled?: boolean;
  /** Why it ended, if it is not Completed, Error or OOMKilled: `ContainerCannotRun`, `StartError` … */
  reason?: string;
  /** The runtime's own words when it could not start or run it. */
  error?: string;
  imageID?: string;
  /**
   * It runs or has ended, and its pod's sandbox does not run any more: somebody has stopped or removed that by hand, or the
   * machine or its engine was restarted. What runs is stopped, and a pod that is not over begins anew in another sandbox,
   * as far as its restart policy lets it. Of an ended one it may be told for ever, as the sandbox of a pod that is over is stopped.
   */
  hasLostSandbox?: boolean;
}

/** Which part of one attempt's log is wanted. */
export interface RuntimeLogOptions {
  follow: boolean;
  timestamps: boolean;
  /** Lines from the end; `undefined` = all. */
  tailLines?: number;
  limitBytes?: number;
  /** Milliseconds since the epoch. */
  sinceTime?: number;
  /** Only this stream; asked only of runtimes that keep them apart. */
  stream?: LogStreamName;
}
