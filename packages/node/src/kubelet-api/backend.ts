import type {
  PodStats,
  PortConnection,
  ProcessStreams,
  StatsAnswer,
  TerminalSize,
} from "@interlink/protocol";
import type { Pod } from "kubernetes-types/core/v1.js";
import type { ContainerLogOptions } from "./log-options.ts";
import type { CommandOptions } from "./streams/command-options.ts";

/** What the kubelet API shows; the virtual node gives it. */
export interface KubeletBackend {
  /** Pods bound to this node, with the status that we hold to be true. */
  pods(): Pod[];
  pod(namespace: string, name: string): Pod | undefined;
  /**
   * The log of one container, as bytes. Reading ends when the signal fires. May throw a KubeletError, at once or while
   * it is read, to tell the user why there is no log.
   */
  logs(
    pod: Pod,
    container: string,
    options: ContainerLogOptions,
    signal: AbortSignal,
  ): AsyncIterable<Uint8Array>;
  /** Throws KubeletError `not-implemented`, in a sentence for the user, when the site does not offer it. */
  requireOffer(feature: InteractiveFeature): void;
  /** The signal ends the streams as well. Rejects with the reason for the user. */
  exec(
    pod: Pod,
    container: string,
    command: readonly string[],
    options: CommandOptions & { size?: TerminalSize },
    signal: AbortSignal,
  ): Promise<ProcessStreams>;
  attach(
    pod: Pod,
    container: string,
    options: CommandOptions,
    signal: AbortSignal,
  ): Promise<ProcessStreams>;
  portForward(pod: Pod, port: number, signal: AbortSignal): Promise<PortConnection>;
  /**
   * What is used now, as the site says it, of the pods of this node. Undefined: the site does not offer to say it.
   * Rejects when the site does not answer.
   */
  stats(signal: AbortSignal): Promise<BackendStats | undefined>;
}

export type InteractiveFeature = "exec" | "attach" | "port-forward";

/** Of the pods of this node only; a site may have others. */
export interface BackendStats {
  node: StatsAnswer["node"];
  pods: { pod: Pod; stats: PodStats }[];
}

/** What the kubelet API tells of the node itself. */
export interface NodeFacts {
  name: string;
  /** RFC 3339; of this program. */
  startTime: string;
  /** Resource name → quantity, as the cluster knows it now. */
  capacity: () => Readonly<Record<string, string>>;
}
