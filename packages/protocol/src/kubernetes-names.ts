// What virtual nodes write to Kubernetes, and others of us read there (reference: wire and node, sections 3.4 and 7).

/** Annotation of a pod: its job's id. */
export const JOB_ID_ANNOTATION = "JobID";

/** Annotation of a node: raw body of the last successful ping, `""` after a failed one. Existing dashboards read it. */
export const PING_ANNOTATION = "interlink.virtual-kubelet.io/ping-response";

/** Annotation of a node: address of its API server, without credentials: where `interlink status` asks on. */
export const SITE_ANNOTATION = "interlink.virtual-kubelet.io/site";

/** What nodes of interLink say of themselves, and are found by. */
export const NODE_TYPE_LABEL = { name: "virtual-node.interlink/type", value: "virtual-kubelet" };
