import { isJsonObject } from "../read/json.ts";

/**
 * A schema of the messages after tolerant reading, as a schema of what may travel: a field with a default may be
 * missing or `null` (so Go peers write empty lists), an optional one may be `null`, and where numbers are taken for
 * texts they are said to be. `hasDefault` tells it of components by name.
 */
export function onWire(schema: unknown, hasDefault: (component: string) => boolean): unknown {
  if (Array.isArray(schema)) return schema.map((item) => onWire(item, hasDefault));
  if (!isJsonObject(schema)) return schema;
  const out = Object.fromEntries(
    Object.entries(schema).map(([key, value]) => [key, onWire(value, hasDefault)]),
  );
  if (schema["x-accept-number"] === true) out["type"] = ["string", "number"];
  const { properties, required } = schema;
  if (!isJsonObject(properties)) return out;
  const needed = new Set(Array.isArray(required) ? required : []);
  for (const [name, field] of Object.entries(properties)) {
    if (isFilledIn(field, hasDefault)) needed.delete(name);
  }
  out["properties"] = Object.fromEntries(
    Object.entries(properties).map(([name, field]) => {
      const wire = onWire(field, hasDefault);
      return [name, needed.has(name) ? wire : orNull(wire)];
    }),
  );
  delete out["required"];
  return needed.size === 0 ? out : { ...out, required: [...needed] };
}

/** The same schema, with `null` beside it. */
export function orNull(schema: unknown): unknown {
  if (!isJsonObject(schema)) return schema;
  const { type, anyOf } = schema;
  if (Array.isArray(anyOf))
    return { ...schema, anyOf: [...(anyOf as unknown[]), { type: "null" }] };
  if (type === undefined) return { anyOf: [schema, { type: "null" }] };
  return { ...schema, type: [...(Array.isArray(type) ? (type as unknown[]) : [type]), "null"] };
}

function isFilledIn(field: unknown, hasDefault: (component: string) => boolean): boolean {
  if (!isJsonObject(field)) return false;
  const { $ref } = field;
  if (typeof $ref === "string") return hasDefault($ref.slice($ref.lastIndexOf("/") + 1));
  return field["default"] !== undefined;
}
