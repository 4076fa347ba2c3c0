export { NULL_LOG, NullProvider } from "./harness/null-provider.ts";
export { dockerEngine } from "./systems/docker-system.ts";
export { BUSYBOX } from "./systems/images.ts";
export { findKubernetes, type KubernetesSystem } from "./systems/kubernetes-binaries.ts";
export { KubernetesCluster } from "./systems/kubernetes-cluster.ts";
