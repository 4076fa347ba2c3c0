import type { Pod } from "kubernetes-types/core/v1.js";
import type {
  Capabilities,
  CreateAnswer,
  JobConfig,
  LogRequest,
  PodCreateRequest,
  RemotePodStatus,
  RetrievedContainer,
  RetrievedPodData,
  StatusStreamRecord,
} from "../messages.ts";
import type { StatsAnswer } from "../streams/stats.ts";
import { goJson, nilIfEmpty } from "./go-json.ts";

// Every message as the exact bytes of the Go peers: key case, key order, `null` for nil slices
// (reference: interlink-wire-and-node.md section 1.4). Pods and other Kubernetes objects go out as they are.

/** `POST /create`, to an API server. */
export function writeCreateRequest(request: PodCreateRequest): string {
  return goJson({
    pod: request.pod,
    configmaps: nilIfEmpty(request.configmaps),
    secrets: nilIfEmpty(request.secrets),
    projectedvolumesmaps: nilIfEmpty(request.projectedvolumesmaps),
    jobscriptURL: request.jobscriptURL,
  });
}

/** `POST /create`, to a plugin. `jobConfig` is always there, `jobScript` only when it says something. */
export function writeRetrievedPodData(data: RetrievedPodData): string {
  return goJson({
    pod: data.pod,
    container: nilIfEmpty(data.container.map(wireContainer)),
    jobConfig: wireJobConfig(data.jobConfig),
    ...(data.jobScript === undefined || data.jobScript === "" ? {} : { jobScript: data.jobScript }),
    ...(data.pullSecrets === undefined ? {} : { pullSecrets: data.pullSecrets }),
  });
}

function wireContainer(container: RetrievedContainer): Record<string, unknown> {
  return {
    name: container.name,
    configMaps: nilIfEmpty(container.configMaps),
    projectedvolumemaps: nilIfEmpty(container.projectedvolumemaps),
    secrets: nilIfEmpty(container.secrets),
    emptyDirs: nilIfEmpty(container.emptyDirs),
  };
}

function wireJobConfig(config: JobConfig): Record<string, unknown> {
  const { SingularityHubProxy: hub, ApptainerOptions: apptainer, Volumes: volumes } = config;
  return {
    SingularityHubProxy: {
      server: hub.server,
      master_token: hub.master_token,
      cache_validity_seconds: hub.cache_validity_seconds,
    },
    ApptainerOptions: {
      executable: apptainer.executable,
      fakeroot: apptainer.fakeroot,
      containall: apptainer.containall,
      fuseMode: apptainer.fuseMode,
      noInit: apptainer.noInit,
      noHome: apptainer.noHome,
      noPrivs: apptainer.noPrivs,
      nvidiaSupport: apptainer.nvidiaSupport,
      cleanenv: apptainer.cleanenv,
      unsquash: apptainer.unsquash,
    },
    Volumes: {
      scratch_area: volumes.scratch_area,
      apptainer_cachedir: volumes.apptainer_cachedir,
      image_dir: volumes.image_dir,
      additional_directories_in_path: nilIfEmpty(volumes.additional_directories_in_path),
      fuse_sleep_seconds: volumes.fuse_sleep_seconds,
    },
  };
}

/** The `jobConfig` of a pod for which no job script is built: every value zero. */
export function emptyJobConfig(): JobConfig {
  return {
    SingularityHubProxy: { server: "", master_token: "", cache_validity_seconds: 0 },
    ApptainerOptions: {
      executable: "",
      fakeroot: false,
      containall: false,
      fuseMode: "",
      noInit: false,
      noHome: false,
      noPrivs: false,
      nvidiaSupport: false,
      cleanenv: false,
      unsquash: false,
    },
    Volumes: {
      scratch_area: "",
      apptainer_cachedir: "",
      image_dir: "",
      additional_directories_in_path: [],
      fuse_sleep_seconds: 0,
    },
  };
}

/** The answer to create, on both hops: one object, both values strings. */
export function writeCreateAnswer(answer: CreateAnswer): string {
  return goJson({ PodUID: answer.PodUID, PodJID: answer.PodJID });
}

/** The body of delete, on both hops. */
export function writeDeleteRequest(pod: Pod): string {
  return goJson(pod);
}

/** The body of `GET /status`; `[]` is the ping of a plugin. */
export function writeStatusRequest(pods: readonly Pod[]): string {
  return goJson(pods);
}

/**
 * The answer to `GET /status`. `extension` is written to every peer: Go's decoder skips keys that it does not know,
 * so an old peer reads the same answer without it.
 */
export function writeStatusAnswer(statuses: readonly RemotePodStatus[]): string {
  return goJson(statuses.map(wireStatus));
}

function wireStatus(status: RemotePodStatus): Record<string, unknown> {
  return {
    name: status.name,
    UID: status.UID,
    namespace: status.namespace,
    JID: status.JID,
    containers: nilIfEmpty(status.containers),
    initContainers: nilIfEmpty(status.initContainers),
    ...(status.extension === undefined ? {} : { extension: status.extension }),
  };
}

/** `GET /getLogs`, both hops. `TailIsSet` and `Stream` go out only when they are given: callers ask what the peer `offers`. */
export function writeLogRequest(request: LogRequest): string {
  const { Opts } = request;
  return goJson({
    Namespace: request.Namespace,
    PodUID: request.PodUID,
    PodName: request.PodName,
    ContainerName: request.ContainerName,
    Opts: {
      Tail: Opts.Tail,
      Bytes: Opts.Bytes,
      Timestamps: Opts.Timestamps,
      Follow: Opts.Follow,
      Previous: Opts.Previous,
      SinceSeconds: Opts.SinceSeconds,
      SinceTime: Opts.SinceTime,
      ...(Opts.TailIsSet === undefined ? {} : { TailIsSet: Opts.TailIsSet }),
      ...(Opts.Stream === undefined ? {} : { Stream: Opts.Stream }),
    },
  });
}

/** `GET /capabilities`. */
export function writeCapabilities(capabilities: Capabilities): string {
  return goJson(capabilities);
}

/** `GET /stats`. */
export function writeStatsAnswer(stats: StatsAnswer): string {
  return goJson(stats);
}

/** One line of the status stream, newline included. */
export function writeStatusStreamLine(record: StatusStreamRecord): string {
  const wire =
    record.type === "status" ? { type: record.type, status: wireStatus(record.status) } : record;
  return `${goJson(wire)}\n`;
}
