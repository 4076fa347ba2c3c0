import type { TSchema } from "typebox";

/**
 * What a setting's schema tells besides its type. Give them as options of the type:
 * `Type.String({ description: "…", default: "…", env: ["NAME"] })`.
 */
export interface SettingNotes {
  /** One sentence for an operator. */
  description?: string;
  default?: unknown;
  /** Variables that go before the file; of several, the first that is set. */
  env?: readonly string[];
  /** The key is accepted and has no effect; why, in words that follow "KEY is ignored: ". */
  ignored?: string;
}

/** A JSON Schema as far as configurations use it. */
export interface SettingSchema extends SettingNotes {
  type?: string;
  properties?: Record<string, SettingSchema>;
  required?: readonly string[];
  patternProperties?: Record<string, SettingSchema>;
  items?: SettingSchema;
  anyOf?: readonly SettingSchema[];
  const?: string | number | boolean;
  enum?: readonly (string | number)[];
  minimum?: number;
  maximum?: number;
}

/** One key of a configuration, for people. */
export interface ConfigKey {
  /** As it is written with dots; `[]` for the entries of a list, `*` for names that the operator chooses. */
  path: string;
  type: string;
  schema: SettingSchema;
}

/** TypeBox schemas are JSON Schemas; their types do not say so. */
export function settingSchema(schema: TSchema): SettingSchema {
  return schema;
}

/** Of a value that may be of several kinds, the one that is a mapping; else the schema itself. */
export function mappingOf(schema: SettingSchema): SettingSchema {
  return schema.anyOf?.find(isNested) ?? schema;
}

/** Every key that holds a value, in the order of the schema. */
export function configKeys(schema: SettingSchema, path = ""): ConfigKey[] {
  if (schema.ignored === undefined) {
    const mapping = mappingOf(schema);
    if (mapping !== schema) {
      return [{ path, type: typeOf(schema), schema }, ...configKeys(mapping, path)];
    }
    if (schema.type === "array" && schema.items !== undefined && isNested(schema.items)) {
      return configKeys(schema.items, `${path}[]`);
    }
    const named = schema.properties ?? starred(schema.patternProperties);
    if (named !== undefined) {
      return Object.entries(named).flatMap(([name, inner]) =>
        configKeys(inner, path === "" ? name : `${path}.${name}`),
      );
    }
  }
  return [{ path, type: typeOf(schema), schema }];
}

/** What a value of this schema may be, in words that follow "give ". */
export function allowedValues(schema: SettingSchema): string {
  const { anyOf, type } = schema;
  if (anyOf !== undefined) {
    const constants = anyOf.map((one) => one.const);
    return constants.every((one) => one !== undefined)
      ? `one of ${constants.join(", ")}`
      : anyOf.map(allowedValues).join(" or ");
  }
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  if (schema.enum !== undefined) return `one of ${schema.enum.join(", ")}`;
  if (type === "boolean") return "true or false";
  if (type === "integer" || type === "number") {
    const kind = type === "integer" ? "a whole number" : "a number";
    const { minimum, maximum } = schema;
    if (minimum !== undefined && maximum !== undefined)
      return `${kind} from ${minimum} to ${maximum}`;
    return minimum === undefined ? kind : `${kind}, at least ${minimum}`;
  }
  if (type === "array") return "a list";
  if (type === "object") return "keys and values, indented";
  return type === undefined ? "anything" : "text";
}

function typeOf(schema: SettingSchema): string {
  const { anyOf, type, items } = schema;
  if (anyOf !== undefined) return anyOf.map(typeOf).join(" | ");
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  if (type === "array") return items === undefined ? "list" : `list of ${typeOf(items)}`;
  if (type === "object") return "mapping";
  return type ?? "any";
}

function isNested(schema: SettingSchema): boolean {
  return schema.properties !== undefined || schema.patternProperties !== undefined;
}

function starred(
  patterns: Record<string, SettingSchema> | undefined,
): Record<string, SettingSchema> | undefined {
  const [inner] = Object.values(patterns ?? {});
  return inner === undefined ? undefined : { "*": inner };
}
