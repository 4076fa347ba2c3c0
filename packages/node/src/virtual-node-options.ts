import type { CredentialSource, RateLimit } from "@interlink/kube";
import type { InterlinkClientOptions } from "@interlink/protocol";
import type { Tracer } from "@opentelemetry/api";
import type { Logger } from "pino";
import type { KubeletTlsOptions } from "./kubelet-api/kubelet-tls.ts";
import type { NodeCheckpoint } from "./pods/checkpoints.ts";
import type { PodTiming } from "./pods/timing.ts";
import type { NodeOptions } from "./registration/node-options.ts";
import type { PingTiming } from "./registration/ping-loop.ts";
import type { RemoteSite } from "./remote/remote-site.ts";
import type { TokenTiming } from "./resolve/pod-tokens.ts";

/** The remote side: where it listens, or an implementation of one's own. */
export type SiteSource = Omit<InterlinkClientOptions, "peer"> | RemoteSite;

/** Everything that a virtual node can be told; what is left out has a default that works. */
export interface VirtualNodeOptions
  extends Omit<
    NodeOptions,
    "name" | "addresses" | "kubeletPort" | "capacity" | "version" | "restricted" | "siteAddress"
  > {
  nodeName: string;
  /** Of this program, `X.Y.Z`. Default: of this package. */
  version?: string;
  kube: CredentialSource;
  site: SiteSource;
  /** What the API server dials for logs, and hostIP of pods. Default: an address of this machine. */
  nodeAddress?: string;
  capacity?: NodeOptions["capacity"];
  kubelet?: KubeletTlsOptions & {
    /** Default: all interfaces. */
    host?: string;
    /** Default 10250, or any free one if that is taken; 0: any free one. */
    port?: number;
  };
  /**
   * Where certificates that the cluster issued are kept, keys with them: made if missing, for its owner only. Without it
   * each start asks for new ones, and the client certificate of `system:node:NAME` is not renewed.
   */
  certificateDirectory?: string;
  /** A job-script builder that the site is to ask; default none. */
  jobscriptURL?: string;
  /** Write the annotation `JobID` on pods. Default true. */
  annotateJobs?: boolean;
  /** The cluster's API as pods at the site can reach it. Default: the Service `kubernetes`. */
  kubernetesService?: { host: string; port: number };
  /** Requests to the API server, leases and watches aside; default none, for the server sees to fairness itself. */
  kubeRate?: RateLimit;
  /** Events written to the API server; default as a kubelet's: 50 per second, 100 at once. */
  eventRate?: RateLimit;
  /** Waits, for tests and for unusual sites. Milliseconds. */
  intervals?: {
    pollMs?: number;
    youngPollMs?: number;
    ping?: Partial<PingTiming>;
    pods?: Partial<PodTiming>;
    tokens?: Partial<TokenTiming>;
  };
  /** Has a span for every call to the site. Default: none has. */
  tracer?: Tracer;
  logger: Logger;
  /** Told each named step, for crash tests. */
  checkpoint?: (name: NodeCheckpoint) => void;
  /** Gives up starting. A node that has started is stopped by `close`. */
  signal?: AbortSignal;
}
