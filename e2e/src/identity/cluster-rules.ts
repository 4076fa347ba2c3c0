import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import type { PolicyRule } from "kubernetes-types/rbac/v1.js";
import type { ServerRequest } from "../systems/audit-log.ts";

/** One right: a verb on a resource, perhaps in one namespace or on one object. */
export interface Right {
  group: string;
  resource: string;
  verb: string;
  namespace: string | undefined;
  name: string | undefined;
}

/** A Role or a ClusterRole. */
export interface Role {
  metadata: { name: string; namespace?: string };
  rules?: PolicyRule[];
}

/** The text of a file under deploy/, for a node of this name. */
export async function deployed(file: string, nodeName: string): Promise<string> {
  const path = fileURLToPath(new URL(`../../../deploy/${file}`, import.meta.url));
  return (await readFile(path, "utf8")).replaceAll("my-site", nodeName);
}

/** Each right that the roles grant, one by one. */
export function rightsOf(roles: readonly Role[]): Right[] {
  return roles.flatMap(({ rules = [], metadata: { namespace } }) =>
    rules.flatMap(({ apiGroups = [], resources = [], verbs, resourceNames = [undefined] }) =>
      apiGroups.flatMap((group) =>
        resources.flatMap((resource) =>
          verbs.flatMap((verb) =>
            resourceNames.map((name) => ({ group, resource, verb, namespace, name })),
          ),
        ),
      ),
    ),
  );
}

/** Whether the request is one that the right is there for. */
export function uses(right: Right, request: ServerRequest): boolean {
  return (
    right.group === request.group &&
    right.resource === request.resource &&
    right.verb === request.verb &&
    (right.namespace === undefined || right.namespace === request.namespace) &&
    (right.name === undefined || right.name === request.name)
  );
}

/** `verb group/resource`, for people. */
export function words({ verb, group, resource }: Pick<Right, "verb" | "group" | "resource">) {
  return `${verb} ${group === "" ? "" : `${group}/`}${resource}`;
}
