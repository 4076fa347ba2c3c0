import { apiVersionOf, type ResourceDefinition } from "../resources/definition.ts";

/** `core/v1:Pod` as OpenAPI names it: `io.k8s.api.core.v1.Pod`. */
export function openApiName(id: string): string {
  const [module = "", name = ""] = id.split(":");
  if (module === "runtime") return `io.k8s.apimachinery.pkg.runtime.${name}`;
  if (module === "api/resource") return `io.k8s.apimachinery.pkg.api.resource.${name}`;
  const dotted = module.replaceAll("/", ".");
  return module.startsWith("meta/")
    ? `io.k8s.apimachinery.pkg.apis.${dotted}.${name}`
    : `io.k8s.api.${dotted}.${name}`;
}

/** The path prefix of a group and version: `api/v1`, `apis/batch/v1`. */
export function groupPath(definition: { group: string; version: string }): string {
  return `${definition.group === "" ? "api" : "apis"}/${apiVersionOf(definition)}`;
}

export function groupVersionKind(definition: ResourceDefinition): object {
  return { group: definition.group, kind: definition.kind, version: definition.version };
}
