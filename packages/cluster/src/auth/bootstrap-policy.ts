import type { PolicyRule } from "kubernetes-types/rbac/v1.js";
import type { KubeObject } from "../api/object.ts";

const rbac = "rbac.authorization.k8s.io";
const read = ["get", "list", "watch"];
const write = ["create", "delete", "deletecollection", "patch", "update"];

function rule(groups: string[], resources: string[], verbs: string[]): PolicyRule {
  return { apiGroups: groups, resources, verbs };
}

const readable = [
  rule(
    [""],
    [
      "configmaps",
      "endpoints",
      "events",
      "namespaces",
      "persistentvolumeclaims",
      "pods",
      "pods/log",
      "pods/status",
      "serviceaccounts",
      "services",
    ],
    read,
  ),
  rule(["batch"], ["jobs", "jobs/status"], read),
];

const editable = [
  ...readable,
  rule([""], ["secrets"], read),
  rule(
    [""],
    [
      "configmaps",
      "events",
      "persistentvolumeclaims",
      "pods",
      "pods/attach",
      "pods/exec",
      "pods/portforward",
      "secrets",
      "serviceaccounts",
      "services",
    ],
    write,
  ),
  rule([""], ["pods/attach", "pods/exec", "pods/portforward"], ["get"]),
  rule([""], ["pods/eviction", "serviceaccounts/token"], ["create"]),
  rule([""], ["serviceaccounts"], ["impersonate"]),
  rule(["batch"], ["jobs"], write),
];

/** What a kubelet may do (`NodeRules` of the real bootstrap policy, for the kinds that are served here). */
const nodeRules = [
  rule(["authentication.k8s.io"], ["tokenreviews"], ["create"]),
  rule(["authorization.k8s.io"], ["localsubjectaccessreviews", "subjectaccessreviews"], ["create"]),
  rule([""], ["services"], read),
  rule([""], ["nodes"], ["create", "update", "patch", ...read]),
  rule([""], ["nodes/status"], ["update", "patch"]),
  rule(["", "events.k8s.io"], ["events"], ["create", "update", "patch"]),
  rule([""], ["pods"], ["create", "delete", ...read]),
  rule([""], ["pods/status"], ["update", "patch"]),
  rule([""], ["pods/eviction", "serviceaccounts/token"], ["create"]),
  rule([""], ["configmaps", "secrets"], read),
  rule(
    [""],
    ["persistentvolumeclaims", "persistentvolumes", "endpoints", "serviceaccounts"],
    ["get"],
  ),
  rule(["coordination.k8s.io"], ["leases"], ["create", "update", "patch", "delete", "get"]),
  rule(["node.k8s.io"], ["runtimeclasses"], read),
  rule(["certificates.k8s.io"], ["certificatesigningrequests"], ["create", ...read]),
];

const discoveryPaths = ["/api", "/api/*", "/apis", "/apis/*", "/openapi", "/openapi/*"];
const publicPaths = ["/healthz", "/livez", "/readyz", "/version", "/version/"];

function clusterRole(name: string, rules: PolicyRule[]): KubeObject {
  return {
    apiVersion: `${rbac}/v1`,
    kind: "ClusterRole",
    metadata: { name, labels: { "kubernetes.io/bootstrapping": "rbac-defaults" } },
    rules,
  };
}

function clusterRoleBinding(name: string, role: string, groups: string[]): KubeObject {
  return {
    apiVersion: `${rbac}/v1`,
    kind: "ClusterRoleBinding",
    metadata: { name, labels: { "kubernetes.io/bootstrapping": "rbac-defaults" } },
    roleRef: { apiGroup: rbac, kind: "ClusterRole", name: role },
    subjects: groups.map((group) => ({ apiGroup: rbac, kind: "Group", name: group })),
  };
}

export const bootstrapClusterRoles: readonly KubeObject[] = [
  clusterRole("cluster-admin", [
    rule(["*"], ["*"], ["*"]),
    { nonResourceURLs: ["*"], verbs: ["*"] },
  ]),
  clusterRole("admin", [...editable, rule([rbac], ["roles", "rolebindings"], [...read, ...write])]),
  clusterRole("edit", editable),
  clusterRole("view", readable),
  clusterRole("system:node", nodeRules),
  clusterRole("system:certificates.k8s.io:certificatesigningrequests:selfnodeclient", [
    rule(["certificates.k8s.io"], ["certificatesigningrequests/selfnodeclient"], ["create"]),
  ]),
  clusterRole("system:kubelet-api-admin", [
    rule([""], ["nodes"], ["get", "list", "watch", "proxy"]),
    rule([""], ["nodes/log", "nodes/metrics", "nodes/proxy", "nodes/stats"], ["*"]),
  ]),
  clusterRole("system:basic-user", [
    rule(
      ["authorization.k8s.io"],
      ["selfsubjectaccessreviews", "selfsubjectrulesreviews"],
      ["create"],
    ),
    rule(["authentication.k8s.io"], ["selfsubjectreviews"], ["create"]),
  ]),
  clusterRole("system:discovery", [
    { nonResourceURLs: [...publicPaths, ...discoveryPaths], verbs: ["get"] },
  ]),
  clusterRole("system:public-info-viewer", [{ nonResourceURLs: publicPaths, verbs: ["get"] }]),
  clusterRole("system:service-account-issuer-discovery", [
    { nonResourceURLs: ["/.well-known/openid-configuration", "/openid/v1/jwks"], verbs: ["get"] },
  ]),
];

export const bootstrapClusterRoleBindings: readonly KubeObject[] = [
  clusterRoleBinding("cluster-admin", "cluster-admin", ["system:masters"]),
  clusterRoleBinding("system:node", "system:node", ["system:nodes"]),
  clusterRoleBinding("system:basic-user", "system:basic-user", ["system:authenticated"]),
  clusterRoleBinding("system:discovery", "system:discovery", ["system:authenticated"]),
  clusterRoleBinding("system:public-info-viewer", "system:public-info-viewer", [
    "system:authenticated",
    "system:unauthenticated",
  ]),
  clusterRoleBinding(
    "system:service-account-issuer-discovery",
    "system:service-account-issuer-discovery",
    ["system:serviceaccounts"],
  ),
];
