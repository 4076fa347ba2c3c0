import type { Event, Namespace, Pod, Secret } from "kubernetes-types/core/v1.js";
import { as, type KubeObject } from "../api/object.ts";
import { signingRequestStrategy } from "../certificates/strategy.ts";
import { jobStrategy } from "../jobs/strategy.ts";
import { podStrategy } from "../pods/strategy.ts";
import { eventColumns } from "../tables/events.ts";
import { jobColumns } from "../tables/jobs.ts";
import { nodeColumns } from "../tables/nodes.ts";
import {
  bindingColumns,
  claimColumns,
  configMapColumns,
  leaseColumns,
  namespaceColumns,
  secretColumns,
  serviceAccountColumns,
  serviceColumns,
} from "../tables/others.ts";
import { podColumns } from "../tables/pods.ts";
import { signingRequestColumns } from "../tables/signing-requests.ts";
import { defineResource, type ResourceDefinition } from "./definition.ts";
import {
  claimStrategy,
  configMapStrategy,
  dropStatus,
  eventStrategy,
  leaseStrategy,
  namespaceStrategy,
  nodeStrategy,
  secretStrategy,
  serviceStrategy,
} from "./strategies.ts";

const rbac = "rbac.authorization.k8s.io";

function podField(read: (pod: Pod) => string | undefined): (object: KubeObject) => string {
  return (object) => read(as<Pod>(object)) ?? "";
}

function eventField(read: (event: Event) => string | undefined): (object: KubeObject) => string {
  return (object) => read(as<Event>(object)) ?? "";
}

const pods = defineResource({
  plural: "pods",
  kind: "Pod",
  strategy: podStrategy,
  shortNames: ["po"],
  categories: ["all"],
  columns: podColumns,
  hasStatus: true,
  hasGeneration: true,
  returnsDeleted: true,
  selectable: {
    "spec.nodeName": podField((pod) => pod.spec?.nodeName),
    "spec.restartPolicy": podField((pod) => pod.spec?.restartPolicy),
    "spec.schedulerName": podField((pod) => pod.spec?.schedulerName),
    "spec.serviceAccountName": podField((pod) => pod.spec?.serviceAccountName),
    "spec.hostNetwork": podField((pod) => String(pod.spec?.hostNetwork ?? false)),
    "status.phase": podField((pod) => pod.status?.phase),
    "status.podIP": podField((pod) => pod.status?.podIP),
    "status.podIPs": podField((pod) => pod.status?.podIP),
    "status.nominatedNodeName": podField((pod) => pod.status?.nominatedNodeName),
  },
  subresources: [
    { name: "attach", kind: "PodAttachOptions", verbs: ["create", "get"] },
    { name: "binding", kind: "Binding", verbs: ["create"] },
    { name: "ephemeralcontainers", kind: "Pod", verbs: ["get", "patch", "update"] },
    { name: "eviction", kind: "Eviction", group: "policy", version: "v1", verbs: ["create"] },
    { name: "exec", kind: "PodExecOptions", verbs: ["create", "get"] },
    { name: "log", kind: "Pod", verbs: ["get"] },
    { name: "portforward", kind: "PodPortForwardOptions", verbs: ["create", "get"] },
    {
      name: "proxy",
      kind: "PodProxyOptions",
      verbs: ["create", "delete", "get", "patch", "update"],
    },
    { name: "resize", kind: "Pod", verbs: ["get", "patch", "update"] },
  ],
});

const nodes = defineResource({
  plural: "nodes",
  kind: "Node",
  strategy: nodeStrategy,
  namespaced: false,
  shortNames: ["no"],
  columns: nodeColumns,
  hasStatus: true,
  selectable: {
    "spec.unschedulable": (object) =>
      String((object.spec as { unschedulable?: boolean } | undefined)?.unschedulable ?? false),
  },
  subresources: [
    {
      name: "proxy",
      kind: "NodeProxyOptions",
      verbs: ["create", "delete", "get", "patch", "update"],
    },
  ],
});

const namespaces = defineResource({
  plural: "namespaces",
  kind: "Namespace",
  strategy: namespaceStrategy,
  namespaced: false,
  shortNames: ["ns"],
  columns: namespaceColumns,
  hasStatus: true,
  selectable: { "status.phase": (object) => as<Namespace>(object).status?.phase ?? "" },
  subresources: [{ name: "finalize", kind: "Namespace", verbs: ["update"] }],
});

const events = defineResource({
  plural: "events",
  kind: "Event",
  strategy: eventStrategy,
  shortNames: ["ev"],
  columns: eventColumns,
  createOnUpdate: true,
  selectable: {
    "involvedObject.kind": eventField((event) => event.involvedObject?.kind),
    "involvedObject.namespace": eventField((event) => event.involvedObject?.namespace),
    "involvedObject.name": eventField((event) => event.involvedObject?.name),
    "involvedObject.uid": eventField((event) => event.involvedObject?.uid),
    "involvedObject.apiVersion": eventField((event) => event.involvedObject?.apiVersion),
    "involvedObject.resourceVersion": eventField((event) => event.involvedObject?.resourceVersion),
    "involvedObject.fieldPath": eventField((event) => event.involvedObject?.fieldPath),
    reason: eventField((event) => event.reason),
    reportingComponent: eventField((event) => event.reportingComponent),
    source: eventField((event) => event.source?.component || event.reportingComponent),
    type: eventField((event) => event.type),
  },
});

/** Everything that is served and stored, in the order of `kubectl api-resources`. */
export const definitions: readonly ResourceDefinition[] = [
  defineResource({
    plural: "configmaps",
    kind: "ConfigMap",
    strategy: configMapStrategy,
    shortNames: ["cm"],
    columns: configMapColumns,
  }),
  defineResource({
    plural: "endpoints",
    kind: "Endpoints",
    shortNames: ["ep"],
    createOnUpdate: true,
  }),
  events,
  namespaces,
  nodes,
  defineResource({
    plural: "persistentvolumeclaims",
    kind: "PersistentVolumeClaim",
    strategy: claimStrategy,
    shortNames: ["pvc"],
    columns: claimColumns,
    hasStatus: true,
    returnsDeleted: true,
  }),
  defineResource({
    plural: "persistentvolumes",
    kind: "PersistentVolume",
    strategy: dropStatus,
    namespaced: false,
    shortNames: ["pv"],
    hasStatus: true,
    returnsDeleted: true,
  }),
  pods,
  defineResource({
    plural: "secrets",
    kind: "Secret",
    strategy: secretStrategy,
    columns: secretColumns,
    selectable: { type: (object) => as<Secret>(object).type ?? "" },
  }),
  defineResource({
    plural: "serviceaccounts",
    kind: "ServiceAccount",
    shortNames: ["sa"],
    columns: serviceAccountColumns,
    returnsDeleted: true,
    subresources: [
      {
        name: "token",
        kind: "TokenRequest",
        group: "authentication.k8s.io",
        version: "v1",
        verbs: ["create"],
      },
    ],
  }),
  defineResource({
    plural: "services",
    kind: "Service",
    strategy: serviceStrategy,
    shortNames: ["svc"],
    categories: ["all"],
    columns: serviceColumns,
    hasStatus: true,
    createOnUpdate: true,
    returnsDeleted: true,
    selectable: {
      "spec.clusterIP": (object) =>
        (object.spec as { clusterIP?: string } | undefined)?.clusterIP ?? "",
      "spec.type": (object) => (object.spec as { type?: string } | undefined)?.type ?? "",
    },
  }),
  defineResource({
    group: "batch",
    plural: "jobs",
    kind: "Job",
    strategy: jobStrategy,
    categories: ["all"],
    columns: jobColumns,
    hasStatus: true,
    hasGeneration: true,
    selectable: {
      "status.successful": (object) =>
        String((object.status as { succeeded?: number } | undefined)?.succeeded ?? 0),
    },
  }),
  defineResource({
    group: "certificates.k8s.io",
    plural: "certificatesigningrequests",
    kind: "CertificateSigningRequest",
    strategy: signingRequestStrategy,
    namespaced: false,
    shortNames: ["csr"],
    columns: signingRequestColumns,
    hasStatus: true,
    selectable: {
      "spec.signerName": (object) =>
        (object.spec as { signerName?: string } | undefined)?.signerName ?? "",
    },
    subresources: [
      { name: "approval", kind: "CertificateSigningRequest", verbs: ["get", "update"] },
    ],
  }),
  defineResource({
    group: "coordination.k8s.io",
    plural: "leases",
    kind: "Lease",
    strategy: leaseStrategy,
    columns: leaseColumns,
    createOnUpdate: true,
  }),
  defineResource({
    group: "node.k8s.io",
    plural: "runtimeclasses",
    kind: "RuntimeClass",
    namespaced: false,
  }),
  defineResource({
    group: rbac,
    plural: "clusterrolebindings",
    kind: "ClusterRoleBinding",
    namespaced: false,
    columns: bindingColumns,
  }),
  defineResource({
    group: rbac,
    plural: "clusterroles",
    kind: "ClusterRole",
    namespaced: false,
  }),
  defineResource({
    group: rbac,
    plural: "rolebindings",
    kind: "RoleBinding",
    columns: bindingColumns,
  }),
  defineResource({ group: rbac, plural: "roles", kind: "Role" }),
  defineResource({
    group: "scheduling.k8s.io",
    plural: "priorityclasses",
    kind: "PriorityClass",
    namespaced: false,
    shortNames: ["pc"],
  }),
  defineResource({
    group: "storage.k8s.io",
    plural: "storageclasses",
    kind: "StorageClass",
    namespaced: false,
    shortNames: ["sc"],
  }),
];
