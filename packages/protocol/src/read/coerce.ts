import { isJsonObject } from "./json.ts";

/** The part of a JSON schema that tolerant reading goes by. */
export interface CoercibleSchema {
  type?: string | string[];
  properties?: Record<string, CoercibleSchema>;
  items?: CoercibleSchema;
  default?: unknown;
  /** A string that old peers send as a number (`PodJID` of a scheduler). */
  "x-accept-number"?: boolean;
}

/**
 * Turns what old peers send into the shape that the schema describes, without judging it:
 * - field names in any letter case, as Go decodes them; the exact spelling wins over others
 * - `null` where nothing is meant: the schema's default, or the field is left out
 * - numbers where the schema says `x-accept-number`
 * Only described fields are touched: free maps (labels, ConfigMap data) and undescribed fields pass as they are.
 * The input is never changed. Expects a value that passed `assertTame`.
 */
export function coerce(value: unknown, schema: CoercibleSchema): unknown {
  const present = value === null || value === undefined ? structuredClone(schema.default) : value;
  if (present === undefined) return value === null ? undefined : value;
  if (schema.properties !== undefined && isJsonObject(present)) {
    return coerceObject(present, schema.properties);
  }
  if (schema.items !== undefined && Array.isArray(present)) {
    const items = schema.items;
    return present.map((item) => coerce(item, items));
  }
  if (schema["x-accept-number"] === true && typeof present === "number") {
    // Beyond 2^53 the digits are already lost; no id is more truthful than a wrong one.
    return Number.isSafeInteger(present) ? String(present) : "";
  }
  return present;
}

function coerceObject(
  value: Record<string, unknown>,
  properties: Record<string, CoercibleSchema>,
): Record<string, unknown> {
  const canonical = new Map(Object.keys(properties).map((name) => [name.toLowerCase(), name]));
  const out: Record<string, unknown> = {};
  for (const [key, item] of Object.entries(value)) {
    const name = canonical.get(key.toLowerCase());
    if (name === undefined) out[key] = item;
    else if (name === key || !Object.hasOwn(value, name)) out[name] = item;
  }
  for (const [name, schema] of Object.entries(properties)) {
    const item = coerce(out[name], schema);
    if (item === undefined) delete out[name];
    else out[name] = item;
  }
  return out;
}
