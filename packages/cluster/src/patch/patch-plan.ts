import type { JsonObject } from "../api/object.ts";

/** A PATCH, ready to be applied. */
export interface PatchPlan {
  /** Server-side apply makes the object when there is none. */
  readonly createIfMissing: boolean;
  /** `current` is a private copy. */
  patch(current: JsonObject): JsonObject;
  /** The new object, when createIfMissing. */
  fresh(name: string): JsonObject;
}
