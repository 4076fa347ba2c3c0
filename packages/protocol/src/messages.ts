import type { ConfigMap, ContainerStatus, Pod, Secret } from "kubernetes-types/core/v1.js";

/**
 * The messages of the interLink wire, in the exact letter case of the peers that exist
 * (reference: interlink-wire-and-node.md section 1.4). These are the shapes after tolerant reading:
 * arrays that an old peer sends as `null`, or leaves out, are `[]` here.
 */

/** `POST /create`, virtual node to API server. */
export interface PodCreateRequest {
  pod: Pod;
  /** One full object per `volumes[].configMap`. */
  configmaps: ConfigMap[];
  /** One full object per `volumes[].secret`; `data` is base64. */
  secrets: Secret[];
  /**
   * One synthetic ConfigMap per projected or downwardAPI volume, named as the *volume*;
   * `data` is path → text, `binaryData` path → base64. (Spelled "volumes" on this hop.)
   */
  projectedvolumesmaps: ConfigMap[];
  /** `""` when no job-script builder is asked for. */
  jobscriptURL: string;
}

/** What one container mounts, in `RetrievedPodData`. */
export interface RetrievedContainer {
  name: string;
  configMaps: ConfigMap[];
  /** As `projectedvolumesmaps` of the request. (Spelled "volume" on this hop.) */
  projectedvolumemaps: ConfigMap[];
  secrets: Secret[];
  /** Always empty on today's wire; plugins read `pod.spec.volumes`. */
  emptyDirs: string[];
}

/**
 * What the configuration of an API server says about jobs, handed on to the builder of job scripts and to plugins
 * (reference: wire and node, 1.5).
 */
export interface JobConfig {
  SingularityHubProxy: { server: string; master_token: string; cache_validity_seconds: number };
  ApptainerOptions: {
    executable: string;
    fakeroot: boolean;
    containall: boolean;
    fuseMode: string;
    noInit: boolean;
    noHome: boolean;
    noPrivs: boolean;
    nvidiaSupport: boolean;
    cleanenv: boolean;
    unsquash: boolean;
  };
  Volumes: {
    scratch_area: string;
    apptainer_cachedir: string;
    image_dir: string;
    additional_directories_in_path: string[];
    fuse_sleep_seconds: number;
  };
}

/** `POST /create`, API server to plugin. `container` lists init containers first, then containers. */
export interface RetrievedPodData {
  pod: Pod;
  container: RetrievedContainer[];
  jobConfig: JobConfig;
  jobScript?: string;
  /** Ours, only for plugins that offer `pull-secrets`: the Secrets that `imagePullSecrets` names, those that exist. */
  pullSecrets?: Secret[];
}

/** The answer to create, on both hops. `PodJID` is the resource system's id (Slurm job id, container id …). */
export interface CreateAnswer {
  PodUID: string;
  PodJID: string;
}

/**
 * One pod's state as a plugin tells it (`GET /status`).
 *
 * The keys in capitals and the two arrays are the base protocol. Everything under `extension` is ours: peers that
 * offer `status-stream` send it, all others leave it out and must be understood without it.
 */
export interface RemotePodStatus {
  name: string;
  UID: string;
  namespace: string;
  JID: string;
  containers: ContainerStatus[];
  initContainers: ContainerStatus[];
  extension?: RemotePodExtension;
}

/**
 * Annotation of a pod on the wire: which virtual node of which cluster created it. A plugin that offers
 * `status-stream` gives it back as `extension.createdBy`.
 */
export const CREATED_BY_ANNOTATION = "interlink.virtual-kubelet.io/created-by";

/**
 * Annotation of a pod on the wire: what its node knows it to be made of, as a word that only the node understands. A
 * plugin that offers `pod-updates` gives back that of the newest create or update as `extension.content`, so that a
 * node which was started anew knows what the plugin has without sending it again.
 */
export const CONTENT_ANNOTATION = "interlink.virtual-kubelet.io/content";

/** What the base protocol cannot say about a pod. */
export interface RemotePodExtension {
  /** Counts up with every change of this pod's status at the plugin; equal means unchanged. */
  revision?: number;
  podIPs?: string[];
  hostIP?: string;
  /** The pod's annotation {@link CREATED_BY_ANNOTATION}: a node removes only orphans that it made itself. */
  createdBy?: string;
  /** The pod's annotation {@link CONTENT_ANNOTATION}, as it came with the newest create or update. */
  content?: string;
  /** RFC 3339. When the plugin's sandbox (network, volumes) was ready; sets PodReadyToStartContainers. */
  sandboxReadyAt?: string;
  /** Ephemeral containers (`kubectl debug`), feature `ephemeral-containers`: one status for each that the plugin knows. */
  ephemeralContainers?: ContainerStatus[];
  /** The plugin was asked to delete this pod and is stopping it. */
  deleting?: boolean;
  /**
   * The pod was deleted, its job is confirmed gone, and this is its last status, told for ten minutes to whoever asks
   * or connects late (docs/decisions/0002).
   */
  gone?: boolean;
  /** The plugin failed or refused the pod as a whole: phase Failed with this reason and message. */
  failed?: { reason: string; message: string };
  /** Pod-level explanation while it waits, e.g. Slurm's `PENDING (Resources)`. */
  reason?: string;
  message?: string;
}

/**
 * Which part of a log is asked for: Kubernetes' PodLogOptions as the wire has them, where 0 and Go's zero time mean
 * "not set".
 */
export interface LogOptions {
  /** Lines from the end; 0 = not set. */
  Tail: number;
  /** Upper limit in bytes (Kubernetes' `limitBytes`); 0 = not set. */
  Bytes: number;
  Timestamps: boolean;
  Follow: boolean;
  Previous: boolean;
  /** 0 = not set. */
  SinceSeconds: number;
  /** RFC 3339; {@link ZERO_TIME} = not set. */
  SinceTime: string;
  /**
   * Ours, sent only to peers that offer `log-options`: `true` makes `Tail: 0` mean "no old line"
   * (`kubectl logs --tail=0`), and lets Tail and Bytes, which old API servers refuse together, be combined.
   */
  TailIsSet?: boolean;
  /** Ours, sent only to peers that offer `log-streams`: only what the container wrote there. Absent: both. */
  Stream?: LogStreamName;
}

/** One of a container's two streams, as Kubernetes' PodLogOptions name them. */
export type LogStreamName = "Stdout" | "Stderr";

/** `GET /getLogs`, both hops. */
export interface LogRequest {
  Namespace: string;
  PodUID: string;
  PodName: string;
  ContainerName: string;
  Opts: LogOptions;
}

/** How Go writes a `time.Time` that was never set. */
export const ZERO_TIME = "0001-01-01T00:00:00Z";

/** Nothing is asked for but the log: all of it, as it is now. */
export const WHOLE_LOG: Readonly<LogOptions> = {
  Tail: 0,
  Bytes: 0,
  Timestamps: false,
  Follow: false,
  Previous: false,
  SinceSeconds: 0,
  SinceTime: ZERO_TIME,
};

/** Answer of a plugin to `GET /status` with `[]`, passed through by `/pinglink`. Everything is optional. */
export interface PingAnswer {
  status?: string;
  resources?: {
    /** Kubernetes quantities. */
    cpu?: string;
    memory?: string;
    pods?: string;
    /** What containers and emptyDirs may keep on disk, all together. Only ours tell it. */
    "ephemeral-storage"?: string;
    accelerators?: { resourceType: string; available: string }[];
  };
  /** Absent: keep what is configured. Empty: none. */
  taints?: { key: string; value?: string; effect?: string }[];
}

/** What a peer can offer beyond the base protocol. */
export const FEATURES = [
  "status-stream",
  "log-options",
  /** The plugin keeps what containers write to stdout and to stderr apart, and gives either alone. */
  "log-streams",
  /** The plugin fills in env `fieldRef` status.podIP, status.podIPs, status.hostIP and status.hostIPs itself. */
  "pod-ip-env",
  /** The plugin reads env `fileKeyRef`s, which name files of the pod's volumes, when it starts a container. */
  "env-files",
  /** `POST /update`: what a running pod names (files of its volumes, environment) has changed. */
  "pod-updates",
  /** The Secrets of `imagePullSecrets` come along, though nothing mounts them. */
  "pull-secrets",
  /** Containers that come to a running pod by an update (`kubectl debug`); goes with `pod-updates` only. */
  "ephemeral-containers",
  "exec",
  "attach",
  "port-forward",
  "stats",
] as const;

/** One of {@link FEATURES}. */
export type Feature = (typeof FEATURES)[number];

/** `GET /capabilities`. A peer that answers 404 speaks the base protocol and offers nothing. */
export interface Capabilities {
  protocol: "interlink";
  /** Of this extension; a peer with a higher major version must still speak the base protocol. */
  version: string;
  /** Name and version of the program, for people: `plugin-docker 0.1.0`. */
  agent: string;
  /** Unknown names are kept and ignored. */
  features: string[];
  /** `containerID` prefix of the plugin's runtime (`docker`, `process`, `slurm`), if it has one. */
  runtime?: string;
}

/**
 * Something that happened to a pod at the plugin and that a person should see as a Kubernetes event
 * (`Pulling`, `Pulled`, `Created`, `Started`, `BackOff`, `Failed`, `Killing`, `Unhealthy` … with a kubelet's words;
 * kubelet-contract.md section 5).
 */
export interface RemotePodEvent {
  UID: string;
  name: string;
  namespace: string;
  /** Container that it is about, if any. */
  container?: string;
  type: "Normal" | "Warning";
  reason: string;
  message: string;
  /** RFC 3339. */
  at: string;
}

/**
 * One line of the status stream (`GET /status/stream`, NDJSON).
 *
 * Right after connecting come `status` records for every pod that the plugin knows, then one `synced`;
 * a pod not named before `synced` is unknown to the plugin. From then on every change is one record.
 * A `heartbeat` comes at least every {@link STATUS_STREAM_HEARTBEAT_SECONDS}; a reader that hears nothing for three
 * of them reconnects. Events are told once, to whoever listens, and are not part of the snapshot.
 */
export type StatusStreamRecord =
  | { type: "status"; status: RemotePodStatus }
  | { type: "synced"; at: string }
  /** The pod's job is confirmed gone and its data removed, after a delete. */
  | { type: "gone"; UID: string; name: string; namespace: string }
  | { type: "event"; event: RemotePodEvent }
  | { type: "heartbeat"; at: string };

/** Between two heartbeats of a status stream. Who hears nothing for three of them takes it for broken. */
export const STATUS_STREAM_HEARTBEAT_SECONDS = 10;
