import { ApiError, badRequest } from "../api/api-error.ts";
import { isJsonObject, type JsonObject } from "../api/object.ts";
import type { ResourceDefinition } from "../resources/definition.ts";
import { jsonPatch } from "./json-patch.ts";
import { mergePatch } from "./merge-patch.ts";
import type { PatchPlan } from "./patch-plan.ts";
import { serverSideApply } from "./server-side-apply.ts";
import { strategicMerge } from "./strategic-merge.ts";

/** Chooses the kind of patch by its media type. Throws 415 for another one. */
export function applyPatch(
  definition: ResourceDefinition,
  type: string,
  patch: unknown,
  query: URLSearchParams,
  timestamp: string,
): PatchPlan {
  switch (type) {
    case "application/json-patch+json":
      return update((current) => asObject(jsonPatch(current, patch)));
    case "application/merge-patch+json": {
      const change = asObject(patch);
      return update((current) => asObject(mergePatch(current, change)));
    }
    case "application/strategic-merge-patch+json": {
      const change = asObject(patch);
      return update((current) => strategicMerge(current, change, definition.kind));
    }
    case "application/apply-patch+yaml":
      return serverSideApply(definition, asObject(patch), query, timestamp);
    default:
      throw new ApiError(
        415,
        "UnsupportedMediaType",
        "the body of the request was in an unknown format - accepted media types include: application/json-patch+json, application/merge-patch+json, application/strategic-merge-patch+json, application/apply-patch+yaml",
      );
  }
}

function update(patch: (current: JsonObject) => JsonObject): PatchPlan {
  return {
    createIfMissing: false,
    patch,
    fresh: () => {
      throw new Error("this patch does not create");
    },
  };
}

function asObject(value: unknown): JsonObject {
  if (!isJsonObject(value)) throw badRequest("the patch must be, and must leave, an object");
  return value;
}
