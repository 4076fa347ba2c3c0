import type {
  AttachRequest,
  Capabilities,
  CreateAnswer,
  ExecRequest,
  LogRequest,
  PingAnswer,
  PodCreateRequest,
  PortConnection,
  PortForwardRequest,
  ProcessStreams,
  RemotePodEvent,
  RemotePodStatus,
  StatsAnswer,
} from "@interlink/protocol";
import type { Pod } from "kubernetes-types/core/v1.js";

/**
 * The remote side as the virtual node sees it: an interLink API server, over the wire, whatever it can do.
 * Implemented once over the protocol's client; tests give their own. Calls reject with ProtocolError.
 */
export interface RemoteSite {
  /** What the site can do beyond the base protocol. Refreshed by `ping`; undefined before the first answer. */
  readonly capabilities: Capabilities | undefined;
  /** Resolves once `capabilities` is the site's own word. Rejects while the site does not answer. */
  introduced(signal: AbortSignal): Promise<void>;
  ping(signal: AbortSignal): Promise<{ raw: string; answer: PingAnswer | undefined }>;
  /** `requestId` is what all hops call this request in their lines; without it there is a new one. */
  create(request: PodCreateRequest, signal: AbortSignal, requestId?: string): Promise<CreateAnswer>;
  /** What a running pod names has changed. Only for sites that offer `pod-updates`. */
  update(request: PodCreateRequest, signal: AbortSignal, requestId?: string): Promise<void>;
  delete(pod: Pod, signal: AbortSignal, requestId?: string): Promise<void>;
  /** One batched question. Pods that the site does not know are absent from the answer. Throws rather than guess. */
  status(pods: readonly Pod[], signal: AbortSignal): Promise<RemotePodStatus[]>;
  logs(request: LogRequest, signal: AbortSignal): Promise<AsyncIterable<Uint8Array>>;
  /**
   * These four only when the site offers `exec`, `attach`, `port-forward`, `stats`. Once the site has agreed, the signal
   * ends the streams.
   */
  exec(request: ExecRequest, signal: AbortSignal): Promise<ProcessStreams>;
  attach(request: AttachRequest, signal: AbortSignal): Promise<ProcessStreams>;
  portForward(request: PortForwardRequest, signal: AbortSignal): Promise<PortConnection>;
  stats(signal: AbortSignal): Promise<StatsAnswer>;
  /**
   * Keeps telling the listener what the site says until the signal fires: by the status stream when offered, else by
   * polling `status(pods())` in batches. Reconnects by itself with back-off; says so through `connection`.
   */
  follow(pods: () => readonly Pod[], listener: RemoteListener, signal: AbortSignal): Promise<void>;
}

/** A complete answer of the site: a pod asked for and not known is unknown there. */
export interface SyncedAnswer {
  /** Milliseconds of `performance.now()` just before the question: what happened later is not in the answer. */
  askedAt: number;
  /** UIDs; `"all"`: the site told everything that it has. */
  asked: ReadonlySet<string> | "all";
  known: ReadonlySet<string>;
}

/** Told in order, one call at a time. Must not throw. */
export interface RemoteListener {
  status(status: RemotePodStatus): void;
  synced(answer: SyncedAnswer): void;
  gone(uid: string): void;
  event(event: RemotePodEvent): void;
  connection(state: "connected" | "disconnected", error?: Error): void;
}
