/** A Kubernetes for one test file, embedded or real. */
export interface TestCluster {
  /** For a user who may do everything. */
  readonly kubeconfigFile: string;
  /** The authority of client certificates: what a node checks its callers with. */
  readonly clientCaFile: string;
  /** The API server stops answering, as in a crash; what is stored stays. */
  pause(): Promise<void>;
  /** It answers again, at the same address. */
  resume(): Promise<void>;
  /** It does not know any more what changed until now: a watch from before has to be begun anew (410). */
  forgetHistory(): Promise<void>;
  /** Ends everything and removes what it kept. */
  close(): Promise<void>;
}

/** A kind of Kubernetes that tests run against. */
export interface ClusterTarget {
  /** For titles of suites. */
  readonly title: string;
  readonly kind: "embedded" | "real";
  /** Starts one that is ready for pods, and keeps its files in this directory (which need not exist). */
  start(directory: string): Promise<TestCluster>;
}
