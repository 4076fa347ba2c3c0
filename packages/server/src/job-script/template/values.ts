import {
  ANY,
  BOOL,
  describeType,
  FLOAT,
  fieldPath,
  type GoType,
  type GoValue,
  INT,
  NIL,
  STRING,
} from "./go-types.ts";
import { quantityMethod } from "./quantity-methods.ts";

/** Something that Go would refuse while it runs; whoever knows the place adds it. */
export class ValueError extends Error {
  override readonly name = "ValueError";
}

type JsonObject = Readonly<Record<string, unknown>>;

/**
 * The value with its pointers followed, and JSON of unknown type as what it is. What is not set is the zero of its type, or
 * nil: `value` is then `undefined` only for nil and for JSON of unknown type.
 */
export function settled({ type, value }: GoValue): GoValue {
  const isSet = value !== undefined && value !== null;
  switch (type.kind) {
    case "pointer":
      return isSet ? settled({ type: type.of, value }) : { type, value: undefined };
    case "any":
      return isSet ? settledJson(value) : { type, value: undefined };
    case "list":
      return { type, value: Array.isArray(value) ? value : [] };
    case "map":
    case "struct":
      return { type, value: isObject(value) ? value : {} };
    case "bool":
      return { type, value: value === true };
    case "int":
    case "float":
      return { type, value: typeof value === "number" ? value : 0 };
    case "quantity":
      return { type, value: isSet ? asText(value) : "0" };
    case "nil":
      return { type, value: undefined };
    case "string":
    case "bytes":
      break;
  }
  return { type, value: isSet ? asText(value) : "" };
}

/** Data of another type than Go would have taken is no text. */
function asText(value: unknown): string {
  return typeof value === "string" || typeof value === "number" ? String(value) : "";
}

function settledJson(value: unknown): GoValue {
  if (typeof value === "string") return { type: STRING, value };
  if (typeof value === "boolean") return { type: BOOL, value };
  if (typeof value === "number") return { type: Number.isInteger(value) ? INT : FLOAT, value };
  if (Array.isArray(value)) return { type: { kind: "list", of: ANY }, value };
  return { type: ANY, value };
}

/** Structs that Go embeds in those whose insides are looked up by name: their fields stand beside the others in JSON. */
const EMBEDDED: ReadonlySet<string> = new Set(["ProbeHandler", "LocalObjectReference"]);

/** `.Name` of a value. Throws ValueError. */
export function fieldOf(whole: GoValue, name: string): GoValue {
  const { type, value } = settled(whole);
  if (type.kind === "nil" || type.kind === "pointer") {
    throw new ValueError(
      `.${name} of something that is not set (${describeType(type)}); ask {{if}} or {{with}} first`,
    );
  }
  const method = quantityMethod(type, name);
  if (method !== undefined) return { type: method.type, value: method.call(value) };
  if (type.kind === "map") {
    const object = value as JsonObject;
    return Object.hasOwn(object, name)
      ? { type: type.of, value: object[name] }
      : { type: NIL, value: undefined };
  }
  if (type.kind === "any") {
    if (EMBEDDED.has(name)) return { type, value };
    return { type: ANY, value: isObject(value) ? pick(value, name) : undefined };
  }
  const path = type.kind === "struct" ? fieldPath(type.name, name) : undefined;
  if (path === undefined) throw new ValueError(`${describeType(type)} has no field ${name}`);
  return path.reduce<GoValue>(
    (at, field) => ({
      type: field.type,
      value:
        field.key === "" ? at.value : isObject(at.value) ? pick(at.value, field.key) : undefined,
    }),
    { type, value },
  );
}

/** As `{{if}}` sees it. */
export function isTrue(whole: GoValue): boolean {
  const { type, value } = settled(whole);
  switch (type.kind) {
    case "nil":
    case "pointer":
      return false;
    case "any":
      return value !== undefined;
    case "struct":
    case "quantity":
      return true;
    case "list":
      return (value as unknown[]).length > 0;
    case "map":
      return Object.keys(value as JsonObject).length > 0;
    case "string":
    case "bytes":
    case "int":
    case "float":
    case "bool":
      break;
  }
  return value !== "" && value !== 0 && value !== false;
}

/** What `{{range}}` goes over: keys or positions, and elements. Throws ValueError. */
export function elementsOf(whole: GoValue): [GoValue, GoValue][] {
  const { type, value } = settled(whole);
  if (type.kind === "list") {
    return (value as unknown[]).map((one, index) => [
      { type: INT, value: index },
      { type: type.of, value: one },
    ]);
  }
  if (type.kind === "map" || (type.kind === "any" && isObject(value))) {
    const of: GoType = type.kind === "map" ? type.of : ANY;
    const object = value as JsonObject;
    return Object.keys(object)
      .toSorted()
      .map((key) => [
        { type: STRING, value: key },
        { type: of, value: object[key] },
      ]);
  }
  if (type.kind === "int") {
    const count = Number(value);
    if (count > 100_000) throw new ValueError(`range over ${count} is too much`);
    return Array.from({ length: Math.max(0, count) }, (_, index) => [
      { type: INT, value: index },
      { type: INT, value: index },
    ]);
  }
  if (type.kind === "any" || type.kind === "pointer" || type.kind === "nil") return [];
  throw new ValueError(`range cannot go over a ${describeType(type)}`);
}

/** By name in any letter case: Go's names and those of JSON differ in nothing else. */
function pick(object: JsonObject, name: string): unknown {
  if (Object.hasOwn(object, name)) return object[name];
  const wanted = name.toLowerCase();
  const key = Object.keys(object).find((one) => one.toLowerCase() === wanted);
  return key === undefined ? undefined : object[key];
}

export function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
