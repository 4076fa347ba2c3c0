import type { ServerRequest } from "../systems/audit-log.ts";

/** Who somebody is to the cluster. */
export type ClusterUser =
  | {
      readonly user: string;
      readonly groups: readonly string[];
      /** How long the certificate is valid; default a year. */
      readonly seconds?: number;
    }
  | { readonly serviceAccount: string; readonly namespace: string };

/** A Kubernetes for one test file, embedded or real. */
export interface TestCluster {
  /** For a user who may do everything. */
  readonly kubeconfigFile: string;
  /** The authority of client certificates: what a node checks its callers with. */
  readonly clientCaFile: string;
  /** A kubeconfig (JSON or YAML) for somebody, with a new client certificate or a token. */
  credentialsFor(user: ClusterUser): Promise<string>;
  /** What nodes and ServiceAccounts of namespace `interlink` asked so far, where the API server keeps an audit log. */
  requests?(): Promise<ServerRequest[]>;
  /** The API server stops answering, as in a crash; what is stored stays. */
  pause(): Promise<void>;
  /** It answers again, at the same address. */
  resume(): Promise<void>;
  /** It does not know any more what changed until now: a watch from before has to be begun anew (410). */
  forgetHistory(): Promise<void>;
  /** Ends everything and removes what it kept. */
  close(): Promise<void>;
}

export interface ClusterOptions {
  /** How long certificates are valid that are signed on request; default a year. */
  certificateSeconds?: number;
}

/** A kind of Kubernetes that tests run against. */
export interface ClusterTarget {
  /** For titles of suites. */
  readonly title: string;
  readonly kind: "embedded" | "real";
  /** Starts one that is ready for pods, and keeps its files in this directory (which need not exist). */
  start(directory: string, options?: ClusterOptions): Promise<TestCluster>;
}
