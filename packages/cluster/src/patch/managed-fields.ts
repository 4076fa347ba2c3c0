import { isJsonObject, type JsonObject, type JsonValue, setOwn } from "../api/object.ts";
import { type FieldMerge, type TypeMerge, typeMerge } from "./merge-keys.ts";

/**
 * A set of fields as `fieldsV1` writes it: `f:name` for a field, `k:{"name":"a"}` for an element of a keyed list,
 * `v:"x"` for one of a set, `.` for the element itself.
 */
export interface FieldSet {
  [step: string]: FieldSet;
}

/** The step to one element of a keyed list; undefined when it lacks its key. */
export function elementStep(field: FieldMerge, element: JsonValue): string | undefined {
  if (field.key === undefined || !isJsonObject(element)) return undefined;
  const value = element[field.key];
  if (value === undefined) return undefined;
  const key: JsonObject = { [field.key]: value };
  for (const [name, standard] of Object.entries(field.also ?? {})) {
    key[name] = element[name] ?? standard;
  }
  return `k:${JSON.stringify(key)}`;
}

/** The steps of a list's elements, in order; undefined when the list is one value (atomic). */
export function listSteps(
  field: FieldMerge | undefined,
  list: readonly JsonValue[],
): string[] | undefined {
  if (field?.set) return list.map((item) => `v:${JSON.stringify(item)}`);
  if (field?.key === undefined) return undefined;
  const steps = list.map((item) => elementStep(field, item));
  const whole = steps.filter((step) => step !== undefined);
  return whole.length === list.length && new Set(whole).size === list.length ? whole : undefined;
}

/** All fields that a value sets. */
export function fieldsOf(value: JsonValue | undefined, type: TypeMerge): FieldSet {
  const fields: FieldSet = {};
  if (!isJsonObject(value)) return fields;
  for (const [key, item] of Object.entries(value)) {
    if (item === undefined) continue;
    const field = Object.hasOwn(type, key) ? type[key] : undefined;
    setOwn(fields, `f:${key}`, fieldsOfValue(item, field));
  }
  return fields;
}

function fieldsOfValue(item: JsonValue, field: FieldMerge | undefined): FieldSet {
  if (!Array.isArray(item)) return fieldsOf(item, typeMerge(field?.of));
  const fields: FieldSet = {};
  const steps = listSteps(field, item) ?? [];
  for (const [index, step] of steps.entries()) {
    const inner = field?.set ? {} : { ".": {}, ...fieldsOf(item[index], typeMerge(field?.of)) };
    setOwn(fields, step, inner);
  }
  return fields;
}

/** Reads `fieldsV1`, which any client may have written; what makes no sense is left out. */
export function readFieldSet(value: JsonValue | undefined): FieldSet {
  const fields: FieldSet = {};
  if (!isJsonObject(value)) return fields;
  for (const [step, inner] of Object.entries(value)) {
    if (isStep(step)) setOwn(fields, step, readFieldSet(inner));
  }
  return fields;
}

function isStep(step: string): boolean {
  if (step === "." || step.startsWith("f:")) return true;
  if (!step.startsWith("k:") && !step.startsWith("v:")) return false;
  try {
    const key = JSON.parse(step.slice(2)) as unknown;
    return step.startsWith("v:") || isJsonObject(key);
  } catch {
    return false;
  }
}

export type Path = readonly string[];

/** The ends of all paths of a set. */
export function* leaves(fields: FieldSet, path: Path = []): Generator<Path> {
  const entries = Object.entries(fields);
  if (entries.length === 0 && path.length > 0) yield path;
  for (const [step, inner] of entries) yield* leaves(inner, [...path, step]);
}

export function hasPath(fields: FieldSet | undefined, path: Path): boolean {
  let at = fields;
  for (const step of path) {
    if (!at || !Object.hasOwn(at, step)) return false;
    at = at[step];
  }
  return at !== undefined;
}

export function removePath(fields: FieldSet, [step, ...rest]: Path): void {
  if (step === undefined || !Object.hasOwn(fields, step)) return;
  const inner = fields[step];
  if (rest.length > 0 && inner) removePath(inner, rest);
  if (rest.length === 0 || (inner && Object.keys(inner).length === 0)) delete fields[step];
}

/** `.spec.containers[name="a"].image`, as conflicts are reported. */
export function pathText(path: Path): string {
  return path
    .filter((step) => step !== ".")
    .map((step) => {
      if (step.startsWith("f:")) return `.${step.slice(2)}`;
      if (step.startsWith("v:")) return `[=${step.slice(2)}]`;
      const key = JSON.parse(step.slice(2)) as JsonObject;
      const parts = Object.entries(key).map(([name, value]) => `${name}=${JSON.stringify(value)}`);
      return `[${parts.join(",")}]`;
    })
    .join("");
}
