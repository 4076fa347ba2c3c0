import { clone, type KubeObject } from "../api/object.ts";
import { bootstrapClusterRoleBindings, bootstrapClusterRoles } from "../auth/bootstrap-policy.ts";
import { systemCall } from "../rest/call.ts";
import { createObject } from "../rest/create.ts";
import type { Storage } from "../storage/storage.ts";

const rbac = "rbac.authorization.k8s.io";
const authenticationName = "extension-apiserver-authentication";
const namespaces = ["default", "kube-system", "kube-public", "kube-node-lease"];

/** Where the API server listens, and the authority of client certificates (PEM). */
export interface ApiServerFacts {
  readonly host: string;
  readonly port: number;
  readonly clientCaPem: string;
}

/** What is there before anybody does anything: the four namespaces, the roles, what the API server says of itself. */
export function createInitialObjects(
  storage: Storage,
  { host, port, clientCaPem }: ApiServerFacts,
): void {
  const call = systemCall("system:apiserver");
  const create = (plural: string, group: string, object: KubeObject, namespace?: string): void => {
    const target = { definition: storage.must(plural, group), namespace };
    createObject(storage, target, clone(object), call);
  };
  for (const name of namespaces) {
    create("namespaces", "", { apiVersion: "v1", kind: "Namespace", metadata: { name } });
  }
  for (const role of bootstrapClusterRoles) create("clusterroles", rbac, role);
  for (const binding of bootstrapClusterRoleBindings) create("clusterrolebindings", rbac, binding);
  create("configmaps", "", authentication(clientCaPem), "kube-system");
  create("roles", rbac, authenticationReader, "kube-system");
  create("services", "", apiService(host, port), "default");
}

/**
 * How a kubelet or an extension server learns whose client certificates to trust. An API server publishes it at its
 * start (kubernetes pkg/controlplane/controller/clusterauthenticationtrust).
 */
function authentication(clientCaPem: string): KubeObject {
  return {
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: { name: authenticationName },
    data: { "client-ca-file": clientCaPem },
  };
}

/** To be bound to whoever should read it (kubernetes plugin/pkg/auth/authorizer/rbac/bootstrappolicy/namespace_policy.go). */
const authenticationReader: KubeObject = {
  apiVersion: `${rbac}/v1`,
  kind: "Role",
  metadata: { name: "extension-apiserver-authentication-reader" },
  rules: [
    {
      apiGroups: [""],
      resources: ["configmaps"],
      resourceNames: [authenticationName],
      verbs: ["get", "list", "watch"],
    },
  ],
};

/**
 * The service `kubernetes`. There is no service network here, so its cluster IP is the address that the API server
 * really listens on: a process that reads KUBERNETES_SERVICE_HOST and _PORT reaches it.
 */
function apiService(host: string, port: number): KubeObject {
  return {
    apiVersion: "v1",
    kind: "Service",
    metadata: {
      name: "kubernetes",
      labels: { component: "apiserver", provider: "kubernetes" },
    },
    spec: {
      type: "ClusterIP",
      clusterIP: host,
      clusterIPs: [host],
      ipFamilies: [host.includes(":") ? "IPv6" : "IPv4"],
      ipFamilyPolicy: "SingleStack",
      internalTrafficPolicy: "Cluster",
      sessionAffinity: "None",
      ports: [{ name: "https", port, protocol: "TCP", targetPort: port }],
    },
  };
}
