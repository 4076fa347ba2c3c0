import type { ClusterRole, PolicyRule, RoleRef, Subject } from "kubernetes-types/rbac/v1.js";
import { ApiError, forbidden } from "../api/api-error.ts";
import { as, type KubeObject } from "../api/object.ts";
import type { RequestInfo } from "../http/request-info.ts";
import type { Storage } from "../storage/storage.ts";
import type { Identity } from "./identity.ts";

const rbac = "rbac.authorization.k8s.io";

/** What somebody wants to do, as SubjectAccessReview says it. */
export type Attributes =
  | {
      readonly kind: "resource";
      readonly verb: string;
      readonly group: string;
      readonly resource: string;
      readonly subresource?: string | undefined;
      readonly namespace?: string | undefined;
      readonly name?: string | undefined;
    }
  | { readonly kind: "path"; readonly verb: string; readonly path: string };

export interface Decision {
  allowed: boolean;
  reason: string;
}

/**
 * RBAC over the stored roles and bindings, as the real server evaluates them. The group system:masters may do
 * everything. Differs from a real cluster: there is no Node authorizer and no NodeRestriction, the group system:nodes
 * has the plain ClusterRole system:node.
 */
export class Authorizer {
  readonly #storage: Storage;

  constructor(storage: Storage) {
    this.#storage = storage;
  }

  decide(identity: Identity, attributes: Attributes): Decision {
    if (identity.groups.includes("system:masters")) return { allowed: true, reason: "" };
    const namespace = attributes.kind === "resource" ? attributes.namespace : undefined;
    for (const { rule, origin } of this.rulesFor(identity, namespace)) {
      if (ruleAllows(rule, attributes))
        return { allowed: true, reason: `RBAC: allowed by ${origin}` };
    }
    return { allowed: false, reason: "" };
  }

  /** Every rule that holds for the identity in the namespace, cluster-wide ones included. */
  *rulesFor(
    identity: Identity,
    namespace: string | undefined,
  ): Generator<{ rule: PolicyRule; origin: string }> {
    for (const binding of this.#storage.storeOf("clusterrolebindings", rbac).values()) {
      yield* this.#rulesOf(binding, identity, undefined);
    }
    if (!namespace) return;
    for (const binding of this.#storage.storeOf("rolebindings", rbac).values()) {
      if (binding.metadata.namespace === namespace) {
        yield* this.#rulesOf(binding, identity, namespace);
      }
    }
  }

  *#rulesOf(
    binding: KubeObject,
    identity: Identity,
    namespace: string | undefined,
  ): Generator<{ rule: PolicyRule; origin: string }> {
    const { subjects, roleRef } = as<{ subjects?: Subject[]; roleRef: RoleRef }>(binding);
    const bound = (subjects ?? []).some((subject) => isSubject(subject, identity, namespace));
    if (!bound) return;
    const cluster = roleRef.kind === "ClusterRole";
    const role = cluster
      ? this.#storage.find("clusterroles", undefined, roleRef.name, rbac)
      : this.#storage.find("roles", namespace, roleRef.name, rbac);
    const origin = `${binding.kind ?? "binding"} "${binding.metadata.name}" of ${roleRef.kind} "${roleRef.name}"`;
    for (const rule of role ? (as<ClusterRole>(role).rules ?? []) : []) yield { rule, origin };
  }

  /** Throws 403 with the sentence that kubectl prints. */
  require(identity: Identity, info: RequestInfo): void {
    const attributes = attributesOf(info);
    const { allowed } = this.decide(identity, attributes);
    if (!allowed) throw refusal(identity, attributes);
  }
}

export function attributesOf(info: RequestInfo): Attributes {
  if (!info.isResource) return { kind: "path", verb: info.verb, path: info.path };
  return {
    kind: "resource",
    verb: info.verb,
    group: info.group,
    resource: info.resource,
    subresource: info.subresource,
    namespace: info.namespace,
    name: info.name,
  };
}

export function refusal(identity: Identity, attributes: Attributes): ApiError {
  const user = JSON.stringify(identity.username);
  if (attributes.kind === "path") {
    return new ApiError(
      403,
      "Forbidden",
      `forbidden: User ${user} cannot ${attributes.verb} path "${attributes.path}"`,
      {},
    );
  }
  const { verb, group, resource, subresource, namespace, name = "" } = attributes;
  const full = subresource ? `${resource}/${subresource}` : resource;
  const where = namespace ? `in the namespace "${namespace}"` : "at the cluster scope";
  return forbidden(
    { group, plural: resource, kind: resource },
    name,
    `User ${user} cannot ${verb} resource "${full}" in API group "${group}" ${where}`,
  );
}

function isSubject(
  subject: Subject,
  identity: Identity,
  bindingNamespace: string | undefined,
): boolean {
  switch (subject.kind) {
    case "User":
      return subject.name === identity.username;
    case "Group":
      return identity.groups.includes(subject.name);
    case "ServiceAccount": {
      const namespace = subject.namespace ?? bindingNamespace ?? "";
      return identity.username === `system:serviceaccount:${namespace}:${subject.name}`;
    }
    default:
      return false;
  }
}

function has(list: readonly string[] | undefined, value: string): boolean {
  return list !== undefined && (list.includes("*") || list.includes(value));
}

export function ruleAllows(rule: PolicyRule, attributes: Attributes): boolean {
  if (!has(rule.verbs, attributes.verb)) return false;
  if (attributes.kind === "path") {
    return (rule.nonResourceURLs ?? []).some((pattern) => matchesPath(pattern, attributes.path));
  }
  const { group, resource, subresource, name } = attributes;
  if (!has(rule.apiGroups, group)) return false;
  if (rule.resourceNames && rule.resourceNames.length > 0) {
    if (!name || !rule.resourceNames.includes(name)) return false;
  }
  const full = subresource ? `${resource}/${subresource}` : resource;
  if (has(rule.resources, full)) return true;
  return subresource !== undefined && (rule.resources ?? []).includes(`*/${subresource}`);
}

function matchesPath(pattern: string, path: string): boolean {
  if (pattern === "*" || pattern === path) return true;
  return pattern.endsWith("*") && path.startsWith(pattern.slice(0, -1));
}
