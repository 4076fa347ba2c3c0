import { isJsonObject } from "./json.ts";

/** The part of a JSON schema that tolerant reading goes by. */
export interface CoercibleSchema {
  properties?: Record<string, CoercibleSchema>;
  items?: CoercibleSchema;
  default?: unknown;
  /** A string that old peers send as a number (`PodJID` of a scheduler). */
  "x-accept-number"?: boolean;
}

/** Shapes a value; `undefined` means that the field is to be left out. */
export type Coercer = (value: unknown) => unknown;

/**
 * Makes the function that turns what old peers send into the shape of a schema, without judging it:
 * - field names in any letter case, as Go decodes them; the exact spelling wins over others
 * - `null` where nothing is meant: the schema's default, or the field is left out
 * - numbers where the schema says `x-accept-number`
 * Only described fields are touched: free maps (labels, ConfigMap data) and undescribed fields pass as they are.
 * The input is never changed. Expects a value that passed `assertTame`.
 */
export function coercerOf(schema: CoercibleSchema): Coercer {
  const shape = shaperOf(schema);
  return (value) => {
    if (value !== null && value !== undefined) return shape(value);
    return schema.default === undefined ? undefined : shape(structuredClone(schema.default));
  };
}

function shaperOf(schema: CoercibleSchema): Coercer {
  if (schema.properties !== undefined) {
    const fields = fieldsOf(schema.properties);
    return (value) => (isJsonObject(value) ? coerceObject(value, fields) : value);
  }
  if (schema.items !== undefined) {
    const item = coercerOf(schema.items);
    return (value) => (Array.isArray(value) ? value.map(item) : value);
  }
  // Beyond 2^53 the digits of an id are already lost; no id is more truthful than a wrong one.
  if (schema["x-accept-number"] === true) {
    return (value) => {
      if (typeof value !== "number") return value;
      return Number.isSafeInteger(value) ? String(value) : "";
    };
  }
  return (value) => value;
}

interface Fields {
  /** From the exact and from the lower-case spelling to the exact one. */
  spelling: ReadonlyMap<string, string>;
  coercers: ReadonlyMap<string, Coercer>;
}

function fieldsOf(properties: Record<string, CoercibleSchema>): Fields {
  const names = Object.keys(properties);
  return {
    spelling: new Map([
      ...names.map((name) => [name.toLowerCase(), name] as const),
      ...names.map((name) => [name, name] as const),
    ]),
    coercers: new Map(
      Object.entries(properties).map(([name, schema]) => [name, coercerOf(schema)]),
    ),
  };
}

function coerceObject(
  value: Record<string, unknown>,
  { spelling, coercers }: Fields,
): Record<string, unknown> {
  const out: Record<string, unknown> = {};
  for (const key of Object.keys(value)) {
    const name = spelling.get(key) ?? spelling.get(key.toLowerCase());
    if (name === undefined) out[key] = value[key];
    else if (name === key || !Object.hasOwn(value, name)) out[name] = value[key];
  }
  for (const [name, coerceField] of coercers) {
    const item = coerceField(out[name]);
    if (item !== undefined) out[name] = item;
    else if (Object.hasOwn(out, name)) delete out[name];
  }
  return out;
}
