export { findKubernetes, type KubernetesSystem } from "./systems/kubernetes-binaries.ts";
export { KubernetesCluster } from "./systems/kubernetes-cluster.ts";
