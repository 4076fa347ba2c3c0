/** Paths of the Kubernetes API. Every name is escaped, so a name can never reach another resource. */

const seg = encodeURIComponent;

interface NamespacedPaths {
  /** Of one namespace, or of all of them without an argument. */
  readonly collection: (namespace?: string) => string;
  readonly named: (namespace: string, name: string) => string;
}

interface ClusterPaths {
  readonly collection: () => string;
  readonly named: (name: string) => string;
}

/** Builds the paths of a namespaced resource of `root` (`/api/v1`, `/apis/batch/v1`). */
function namespacedPaths(root: string, resource: string): NamespacedPaths {
  const collection = (namespace?: string): string =>
    namespace === undefined
      ? `${root}/${resource}`
      : `${root}/namespaces/${seg(namespace)}/${resource}`;
  return {
    collection,
    named: (namespace, name) => `${collection(namespace)}/${seg(name)}`,
  };
}

/** Builds the paths of a cluster-wide resource of `root`. */
function clusterPaths(root: string, resource: string): ClusterPaths {
  return {
    collection: () => `${root}/${resource}`,
    named: (name) => `${root}/${resource}/${seg(name)}`,
  };
}

/** A subresource of the object at `path`: `subresource(paths.pods.named(ns, name), "status")`. */
export function subresource(path: string, name: "status" | "token" | "eviction" | "log"): string {
  return `${path}/${name}`;
}

const core = "/api/v1";

/** Paths of every resource that a virtual node uses. */
export const paths = {
  namespaces: clusterPaths(core, "namespaces"),
  nodes: clusterPaths(core, "nodes"),
  persistentVolumes: clusterPaths(core, "persistentvolumes"),
  pods: namespacedPaths(core, "pods"),
  configMaps: namespacedPaths(core, "configmaps"),
  secrets: namespacedPaths(core, "secrets"),
  services: namespacedPaths(core, "services"),
  serviceAccounts: namespacedPaths(core, "serviceaccounts"),
  persistentVolumeClaims: namespacedPaths(core, "persistentvolumeclaims"),
  events: namespacedPaths(core, "events"),
  jobs: namespacedPaths("/apis/batch/v1", "jobs"),
  leases: namespacedPaths("/apis/coordination.k8s.io/v1", "leases"),
  certificateSigningRequests: clusterPaths(
    "/apis/certificates.k8s.io/v1",
    "certificatesigningrequests",
  ),
  clusterTrustBundles: clusterPaths("/apis/certificates.k8s.io/v1beta1", "clustertrustbundles"),
  tokenReviews: clusterPaths("/apis/authentication.k8s.io/v1", "tokenreviews"),
  subjectAccessReviews: clusterPaths("/apis/authorization.k8s.io/v1", "subjectaccessreviews"),
  runtimeClasses: clusterPaths("/apis/node.k8s.io/v1", "runtimeclasses"),
} as const;
