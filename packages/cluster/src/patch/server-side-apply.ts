import { badRequest } from "../api/api-error.ts";
import type { JsonObject } from "../api/object.ts";
import { apiVersionOf, type ResourceDefinition } from "../resources/definition.ts";
import type { PatchPlan } from "./apply-patch.ts";
import { strategicMerge } from "./strategic-merge.ts";

export function serverSideApply(
  definition: ResourceDefinition,
  wanted: JsonObject,
  query: URLSearchParams,
  _timestamp: string,
): PatchPlan {
  const manager = query.get("fieldManager");
  if (!manager)
    throw badRequest(
      'PatchOptions.meta.k8s.io "" is invalid: fieldManager: Required value: is required for apply patch',
    );
  return {
    createIfMissing: true,
    patch: (current) => strategicMerge(current, wanted, definition.kind),
    fresh: (name) => ({
      apiVersion: apiVersionOf(definition),
      kind: definition.kind,
      ...wanted,
      metadata: { ...(wanted.metadata as JsonObject | undefined), name },
    }),
  };
}
