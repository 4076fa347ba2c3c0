import type {
  ConfigMap,
  Event,
  Namespace,
  Node,
  NodeSpec,
  Secret,
  Service,
  ServiceSpec,
} from "kubernetes-types/core/v1.js";
import { forbidden } from "../api/api-error.ts";
import type { FieldErrors } from "../api/field-errors.ts";
import { as, isJsonObject, type KubeObject, sameJson } from "../api/object.ts";
import type { Writable } from "../pods/defaults.ts";
import { configKeyProblems } from "../validation/names.ts";
import type { AdmissionContext, Strategy } from "./definition.ts";

/** Kinds whose status the creator does not set. */
export const dropStatus: Strategy = {
  prepareForCreate: (object) => {
    object.status = {};
  },
};

// ---- ConfigMap and Secret

function immutableWhenSet(object: KubeObject, old: KubeObject, errors: FieldErrors): void {
  if (old.immutable !== true) return;
  const when = "field is immutable when `immutable` is set";
  if (object.immutable !== true) errors.forbidden("immutable", when);
  for (const field of ["data", "binaryData"]) {
    if (!sameJson(object[field], old[field])) errors.forbidden(field, when);
  }
}

function validateConfigMap(object: KubeObject, errors: FieldErrors): void {
  const { data = {}, binaryData = {} } = as<ConfigMap>(object);
  for (const [field, map] of [
    ["data", data],
    ["binaryData", binaryData],
  ] as const) {
    for (const key of Object.keys(map)) {
      for (const problem of configKeyProblems(key))
        errors.invalid(`${field}[${key}]`, key, problem);
    }
  }
  for (const key of Object.keys(binaryData)) {
    if (Object.hasOwn(data, key))
      errors.invalid(`data[${key}]`, key, "duplicate of key present in binaryData");
  }
}

export const configMapStrategy: Strategy = {
  validate: validateConfigMap,
  validateUpdate: (object, old, errors) => {
    validateConfigMap(object, errors);
    immutableWhenSet(object, old, errors);
  },
};

const requiredKeys: Readonly<Record<string, string>> = {
  "kubernetes.io/dockerconfigjson": ".dockerconfigjson",
  "kubernetes.io/dockercfg": ".dockercfg",
  "kubernetes.io/ssh-auth": "ssh-privatekey",
};

const base64 = /^[A-Za-z0-9+/\r\n]*={0,2}[\r\n]*$/;

function validateSecret(object: KubeObject, errors: FieldErrors): void {
  const { data = {}, type = "" } = as<Secret>(object);
  for (const [key, value] of Object.entries(data)) {
    for (const problem of configKeyProblems(key)) errors.invalid(`data[${key}]`, key, problem);
    if (!base64.test(value)) errors.invalid(`data[${key}]`, "<value>", "must be base64");
  }
  const required = requiredKeys[type];
  if (required && !Object.hasOwn(data, required)) errors.required(`data[${required}]`);
  if (type === "kubernetes.io/tls") {
    for (const key of ["tls.crt", "tls.key"]) {
      if (!Object.hasOwn(data, key)) errors.required(`data[${key}]`);
    }
  }
}

export const secretStrategy: Strategy = {
  defaults: (object) => {
    const secret = as<Writable<Secret>>(object);
    secret.type ||= "Opaque";
    if (!isJsonObject(secret.stringData)) return;
    const encoded = Object.entries(secret.stringData).map(([key, value]): [string, string] => [
      key,
      Buffer.from(value, "utf8").toString("base64"),
    ]);
    secret.data = { ...secret.data, ...Object.fromEntries(encoded) };
    delete secret.stringData;
  },
  validate: validateSecret,
  validateUpdate: (object, old, errors) => {
    validateSecret(object, errors);
    if (object.type !== old.type) errors.invalid("type", object.type, "field is immutable");
    immutableWhenSet(object, old, errors);
  },
};

// ---- Namespace

const namespaceName = { group: "", plural: "namespaces", kind: "Namespace" };
const undeletable = new Set(["default", "kube-system", "kube-public"]);

export const namespaceStrategy: Strategy = {
  prepareForCreate: (object) => {
    const namespace = as<Writable<Namespace>>(object);
    namespace.status = { phase: "Active" };
    namespace.spec = { ...namespace.spec, finalizers: ["kubernetes"] };
  },
  defaults: (object) => {
    object.metadata.labels = {
      ...object.metadata.labels,
      "kubernetes.io/metadata.name": object.metadata.name ?? "",
    };
  },
  prepareForUpdate: (object, old) => {
    // The finalizers of spec change by /finalize only.
    object.spec = old.spec;
  },
  beforeDelete: (object) => {
    const name = object.metadata.name ?? "";
    if (undeletable.has(name)) {
      throw forbidden(namespaceName, name, "this namespace may not be deleted");
    }
    as<Writable<Namespace>>(object).status = {
      ...as<Namespace>(object).status,
      phase: "Terminating",
    };
  },
};

// ---- Node

function defaultNode(object: KubeObject): void {
  const node = as<Writable<Node>>(object);
  node.spec ??= {};
  const status = node.status;
  if (status?.capacity && !status.allocatable) status.allocatable = { ...status.capacity };
}

const notReady = "node.kubernetes.io/not-ready";

export const nodeStrategy: Strategy = {
  defaults: defaultNode,
  /** The admission plugin TaintNodesByCondition: nothing is scheduled before the node says that it is ready. */
  admit: (object) => {
    const spec = as<{ spec: Writable<NodeSpec> }>(object).spec;
    const taints = spec.taints ?? [];
    if (taints.some((taint) => taint.key === notReady && taint.effect === "NoSchedule")) return;
    spec.taints = [...taints, { key: notReady, effect: "NoSchedule" }];
  },
  validate: validateTaints,
  validateUpdate: (object, old, errors) => {
    validateTaints(object, errors);
    const before = as<Node>(old).spec?.providerID;
    if (before && as<Node>(object).spec?.providerID !== before) {
      errors.forbidden(
        "spec.providerID",
        'node updates may not change providerID except from "" to valid',
      );
    }
  },
  prepareForStatusUpdate: defaultNode,
};

function validateTaints(object: KubeObject, errors: FieldErrors): void {
  const seen = new Set<string>();
  for (const [index, taint] of (as<Node>(object).spec?.taints ?? []).entries()) {
    const path = `spec.taints[${index}]`;
    if (!taint.key) errors.required(`${path}.key`);
    const effects = ["NoSchedule", "PreferNoSchedule", "NoExecute"];
    if (!effects.includes(taint.effect))
      errors.notSupported(`${path}.effect`, taint.effect, effects);
    const id = `${taint.key}:${taint.effect}`;
    if (seen.has(id)) errors.duplicate(path, taint);
    seen.add(id);
  }
}

// ---- Service

/** No traffic goes there: the address only has to look like one and differ from the others. */
function inventedClusterIp(context: AdmissionContext): string {
  const letters = Buffer.from(context.suffix(), "latin1");
  const number = letters.reduce((sum, letter) => sum * 31 + letter, 7);
  return `10.96.${(number >>> 8) & 0xff}.${number & 0xff || 1}`;
}

export const serviceStrategy: Strategy = {
  prepareForCreate: (object) => {
    object.status = { loadBalancer: {} };
  },
  defaults: (object) => {
    const spec = as<{ spec?: Writable<ServiceSpec> }>(object).spec;
    if (!spec) return;
    spec.type ??= "ClusterIP";
    spec.sessionAffinity ??= "None";
    if (spec.type !== "ExternalName") spec.internalTrafficPolicy ??= "Cluster";
    for (const port of spec.ports ?? []) {
      port.protocol ??= "TCP";
      port.targetPort ??= port.port;
    }
  },
  admit: (object, context) => {
    const spec = as<{ spec?: Writable<ServiceSpec> }>(object).spec;
    if (!spec || spec.type === "ExternalName") return;
    spec.clusterIP ||= inventedClusterIp(context);
    spec.clusterIPs ??= [spec.clusterIP];
    spec.ipFamilies ??= [spec.clusterIP.includes(":") ? "IPv6" : "IPv4"];
    spec.ipFamilyPolicy ??= "SingleStack";
  },
  validate: (object, errors) => {
    const spec = as<Service>(object).spec;
    if (!spec) return errors.required("spec");
    if (
      (spec.ports ?? []).length === 0 &&
      spec.clusterIP !== "None" &&
      spec.type !== "ExternalName"
    ) {
      errors.required("spec.ports");
    }
    for (const [index, port] of (spec.ports ?? []).entries()) {
      if (!(port.port >= 1 && port.port <= 65535)) {
        errors.invalid(
          `spec.ports[${index}].port`,
          port.port,
          "must be between 1 and 65535, inclusive",
        );
      }
    }
  },
  prepareForUpdate: (object, old) => {
    const spec = as<{ spec?: Writable<ServiceSpec> }>(object).spec;
    const before = as<{ spec?: Writable<ServiceSpec> }>(old).spec;
    for (const field of ["clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy"] as const) {
      if (spec && before?.[field] !== undefined && !spec[field])
        Object.assign(spec, { [field]: before[field] });
    }
  },
  validateUpdate: (object, old, errors) => {
    const before = as<Service>(old).spec?.clusterIP;
    const now = as<Service>(object).spec?.clusterIP;
    if (before && now && before !== now)
      errors.invalid("spec.clusterIPs[0]", now, "may not change once set");
  },
};

// ---- others

export const eventStrategy: Strategy = {
  validate: (object, errors) => {
    const { involvedObject, metadata } = as<Event>(object);
    const namespace = involvedObject?.namespace || "default";
    if (metadata.namespace !== namespace) {
      errors.invalid(
        "involvedObject.namespace",
        involvedObject?.namespace ?? "",
        "does not match event.namespace",
      );
    }
  },
};

export const claimStrategy: Strategy = {
  prepareForCreate: (object) => {
    object.status = { phase: "Pending" };
  },
  defaults: (object) => {
    if (isJsonObject(object.spec)) object.spec.volumeMode ??= "Filesystem";
  },
};

export const leaseStrategy: Strategy = {
  validate: (object, errors) => {
    const spec = object.spec as { leaseDurationSeconds?: number } | undefined;
    const seconds = spec?.leaseDurationSeconds;
    if (seconds !== undefined && seconds <= 0) {
      errors.invalid("spec.leaseDurationSeconds", seconds, "must be greater than 0");
    }
  },
};
