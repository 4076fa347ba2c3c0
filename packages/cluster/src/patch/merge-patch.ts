import { isJsonObject, type JsonObject, type JsonValue, setOwn } from "../api/object.ts";

/** RFC 7386: maps are merged, null removes, everything else replaces. */
export function mergePatch(original: JsonValue | undefined, patch: JsonValue): JsonValue {
  if (!isJsonObject(patch)) return patch;
  const result: JsonObject = {};
  if (isJsonObject(original)) {
    for (const [key, value] of Object.entries(original)) setOwn(result, key, value);
  }
  for (const [key, value] of Object.entries(patch)) {
    if (value === null || value === undefined) delete result[key];
    else
      setOwn(result, key, mergePatch(Object.hasOwn(result, key) ? result[key] : undefined, value));
  }
  return result;
}
