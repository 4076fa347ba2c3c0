import type {
  AttachRequest,
  CreateAnswer,
  ExecRequest,
  Feature,
  LogRequest,
  PingAnswer,
  PortConnection,
  PortForwardRequest,
  ProcessStreams,
  RemotePodEvent,
  RemotePodStatus,
  RetrievedPodData,
  StatsAnswer,
} from "@interlink/protocol";
import type { Pod } from "kubernetes-types/core/v1.js";

/**
 * What a plugin author implements: one kind of resource that can run pods.
 *
 * `servePlugin(provider, options)` puts the interLink wire in front of it. Everything that arrives here has been
 * validated; every call carries an `AbortSignal` that fires when the caller has gone or the deadline is over.
 * Errors thrown as `PluginError` reach the user in your words; anything else becomes a 500 with a request id.
 *
 * Four promises that callers build on:
 * 1. `create` is idempotent by pod UID: a second call answers with the job that exists.
 * 2. `create` after `delete` of the same UID is refused; a pod never runs twice.
 * 3. `status` never leaves out a pod that may still run. Not knowing is an error, not an empty answer.
 * 4. `delete` is a promise: it is remembered, and carried out even if this process dies right after answering.
 */
export interface Provider {
  /** Short and lower-case, e.g. `docker`. Appears in metrics, in logs and as `containerID` prefix. */
  readonly name: string;
  /** What it offers beyond the base protocol. */
  readonly features: readonly Feature[];

  /** Called once before serving: find the jobs of an earlier life and take them over. */
  start?(signal: AbortSignal): Promise<void>;

  /** Start the pod's job. Resolve as soon as the intent is durable and the job has an id; do not wait for it to run. */
  create(data: RetrievedPodData, signal: AbortSignal): Promise<CreateAnswer>;

  /**
   * What a running pod names has changed (feature `pod-updates`): `data` is what a create would carry now. Its volumes
   * change as a whole, under whoever has them mounted; environments count for containers that start from now on. A
   * running container whose image has changed is restarted with the new one, as under a kubelet. Nothing else is
   * restarted, and nothing else of the pod changes. Resolve when it is durable and in place; throw
   * `PluginError` `not-found` for a pod that is not here.
   */
  update?(data: RetrievedPodData, signal: AbortSignal): Promise<void>;

  /**
   * Stop the pod's job and remove its data. Resolve when the intent is durable. Grace period:
   * `metadata.deletionGracePeriodSeconds`, else `spec.terminationGracePeriodSeconds`, else 30. Unknown pod: resolve.
   */
  delete(pod: Pod, signal: AbortSignal): Promise<void>;

  /**
   * The state of these pods, in one question to the resource; unknown pods are left out. `"all"`: every pod that is
   * here. A pod that was asked for and deleted in the last ten minutes is told with its last status
   * (`JobStore.finalStatus`).
   */
  status(pods: readonly Pod[] | "all", signal: AbortSignal): Promise<RemotePodStatus[]>;

  /** The last statuses of pods deleted in the last ten minutes (`JobStore.finalStatuses`), for the stream's snapshot. */
  finalStatuses?(): readonly RemotePodStatus[];

  /** A container's log as it is, bytes untouched unless `Timestamps`. Ends when the container ends if `Follow`. */
  logs(request: LogRequest, signal: AbortSignal): AsyncIterable<Uint8Array>;

  /** What log lines say of the pod with this UID; `undefined` for one that is not here. */
  aboutPod?(uid: string): AboutJob | undefined;

  /**
   * The pod as it was created here, and when (milliseconds since the epoch); `undefined` for one that is not here. What
   * spans of jobs are made of: without this there are none.
   */
  created?(uid: string): { pod: Pod; at: number } | undefined;

  /** Capacity and taints of the resource now, for the Node object. Throw if the resource does not answer. */
  ping?(signal: AbortSignal): Promise<PingAnswer>;

  /**
   * Start a process in a running container (feature `exec`), or take part in the one that runs there (`attach`). Resolve
   * when it has begun; throw `PluginError` `not-found` for a container that does not run. The signal ends it.
   */
  exec?(request: ExecRequest, signal: AbortSignal): Promise<ProcessStreams>;
  attach?(request: AttachRequest, signal: AbortSignal): Promise<ProcessStreams>;

  /** A connection to a port in the pod's network (feature `port-forward`). Resolve when it is made. */
  portForward?(request: PortForwardRequest, signal: AbortSignal): Promise<PortConnection>;

  /** What the pods use now (feature `stats`). Leave out what is not measured. */
  stats?(signal: AbortSignal): Promise<StatsAnswer>;

  /** Changes as they are seen. Needed for the feature `status-stream`. Returns the function that ends it. */
  subscribe?(listener: ProviderListener): () => void;

  /** Let go of timers, sockets and watches, also after a `start` that failed. Jobs go on running. */
  close?(): Promise<void>;
}

/** For log lines. */
export interface AboutJob {
  /** `namespace/name` */
  pod: string;
  /** Id of the job, once there is one. */
  job?: string;
}

/** Told of what happens to pods. */
export interface ProviderListener {
  status(status: RemotePodStatus): void;
  gone(pod: { UID: string; name: string; namespace: string }): void;
  event(event: RemotePodEvent): void;
}
