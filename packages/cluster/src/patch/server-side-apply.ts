import { ApiError, badRequest, type StatusCause } from "../api/api-error.ts";
import {
  clone,
  isJsonObject,
  type JsonObject,
  type JsonValue,
  sameJson,
  setOwn,
} from "../api/object.ts";
import { apiVersionOf, type ResourceDefinition } from "../resources/definition.ts";
import {
  type FieldSet,
  fieldsOf,
  hasPath,
  leaves,
  listSteps,
  type Path,
  pathText,
  readFieldSet,
  removePath,
} from "./managed-fields.ts";
import {
  type FieldMerge,
  mergeTypes,
  plainObject,
  type TypeMerge,
  typeMerge,
} from "./merge-keys.ts";
import type { PatchPlan } from "./patch-plan.ts";

/**
 * Server-side apply, the part that matters to people: what a manager applied before and leaves out now is removed
 * (unless another manager applied it too), and two managers that apply different values to a field conflict unless
 * forced. Differs from the real server: only appliers own fields; plain updates and patches are not tracked.
 */
export function serverSideApply(
  definition: ResourceDefinition,
  wanted: JsonObject,
  query: URLSearchParams,
  timestamp: string,
): PatchPlan {
  const manager = query.get("fieldManager");
  if (!manager) {
    throw badRequest(
      'PatchOptions.meta.k8s.io "" is invalid: fieldManager: Required value: is required for apply patch',
    );
  }
  const metadata = isJsonObject(wanted.metadata) ? wanted.metadata : {};
  if (metadata.managedFields !== undefined) {
    throw badRequest("metadata.managedFields must be nil");
  }
  const type = mergeTypes[definition.kind] ?? plainObject;
  const force = query.get("force") === "true";
  const base = { manager, operation: "Apply", apiVersion: apiVersionOf(definition) };
  const apply = (current: JsonObject): JsonObject =>
    applyOnto(clone(current), clone(wanted), { type, force, base, timestamp });
  return {
    createIfMissing: true,
    patch: apply,
    fresh: (name) =>
      apply({ apiVersion: apiVersionOf(definition), kind: definition.kind, metadata: { name } }),
  };
}

interface Entry extends JsonObject {
  manager?: string;
  operation?: string;
  fieldsV1?: JsonObject;
}

interface ApplyContext {
  type: TypeMerge;
  force: boolean;
  base: { manager: string; operation: string; apiVersion: string };
  timestamp: string;
}

function applyOnto(current: JsonObject, wanted: JsonObject, context: ApplyContext): JsonObject {
  const { type, base } = context;
  const metadata = isJsonObject(current.metadata) ? current.metadata : {};
  const entries = (Array.isArray(metadata.managedFields) ? metadata.managedFields : []) as Entry[];
  const mine = entries.find((item) => item.manager === base.manager && item.operation === "Apply");
  const others = entries.filter((item) => item !== mine);
  const fields = ownedFields(wanted, type);
  settleConflicts(current, wanted, fields, others, context);

  const merged = mergeObjects(current, wanted, type);
  const dropped = [...leaves(fieldSet(mine))].filter(
    (path) => !hasPath(fields, path) && !others.some((other) => hasPath(fieldSet(other), path)),
  );
  for (const path of dropped) removeValue(merged, path, type);

  const unchanged = mine && sameJson(mine.fieldsV1, fields);
  const entry: Entry = {
    ...base,
    time: (unchanged ? mine.time : undefined) ?? context.timestamp,
    fieldsType: "FieldsV1",
    fieldsV1: fields,
  };
  const left = others.filter((item) => Object.keys(item.fieldsV1 ?? {}).length > 0);
  merged.metadata = {
    ...(isJsonObject(merged.metadata) ? merged.metadata : {}),
    managedFields: [...left, entry],
  };
  return merged;
}

function fieldSet(entry: Entry | undefined): FieldSet {
  return readFieldSet(entry?.fieldsV1);
}

/** Nobody owns what names the object. */
function ownedFields(wanted: JsonObject, type: TypeMerge): FieldSet {
  const fields = fieldsOf(wanted, type);
  delete fields["f:apiVersion"];
  delete fields["f:kind"];
  const metadata = fields["f:metadata"];
  if (metadata) {
    for (const field of ["name", "namespace", "uid", "resourceVersion", "creationTimestamp"]) {
      delete metadata[`f:${field}`];
    }
    if (Object.keys(metadata).length === 0) delete fields["f:metadata"];
  }
  return fields;
}

function settleConflicts(
  current: JsonObject,
  wanted: JsonObject,
  fields: FieldSet,
  others: Entry[],
  context: ApplyContext,
): void {
  const causes: StatusCause[] = [];
  for (const other of others) {
    if (other.operation !== "Apply") continue;
    const owned = fieldSet(other);
    for (const path of leaves(fields)) {
      if (path.at(-1) === "." || !hasPath(owned, path)) continue;
      const now = readValue(current, path, context.type);
      const value = readValue(wanted, path, context.type);
      // An empty map says nothing about what is in it.
      const same = sameJson(now, value) || (isJsonObject(now) && isJsonObject(value));
      if (same) continue;
      if (context.force) {
        removePath(owned, path);
        other.fieldsV1 = owned;
      } else {
        const message = `conflict with "${other.manager ?? ""}"`;
        causes.push({ reason: "FieldManagerConflict", message, field: pathText(path) });
      }
    }
  }
  if (causes.length === 0) return;
  const list = causes.map((cause) => `${cause.message}: ${cause.field}`);
  const many = causes.length === 1 ? "1 conflict" : `${causes.length} conflicts`;
  throw new ApiError(409, "Conflict", `Apply failed with ${many}: ${list.join("\n")}`, { causes });
}

function mergeObjects(current: JsonObject, wanted: JsonObject, type: TypeMerge): JsonObject {
  for (const [key, value] of Object.entries(wanted)) {
    if (value === undefined || value === null) continue;
    const field = Object.hasOwn(type, key) ? type[key] : undefined;
    const before = Object.hasOwn(current, key) ? current[key] : undefined;
    setOwn(current, key, mergeValues(before, value, field));
  }
  return current;
}

function mergeValues(
  before: JsonValue | undefined,
  value: JsonValue,
  field: FieldMerge | undefined,
): JsonValue {
  if (isJsonObject(before) && isJsonObject(value)) {
    return mergeObjects(before, value, typeMerge(field?.of));
  }
  if (!Array.isArray(before) || !Array.isArray(value)) return value;
  const known = listSteps(field, before);
  const steps = listSteps(field, value);
  if (!known || !steps) return value;
  const merged = [...before];
  for (const [index, step] of steps.entries()) {
    const at = known.indexOf(step);
    const item = value[index] ?? null;
    if (at < 0) merged.push(item);
    else merged[at] = mergeValues(before[at], item, field?.of ? { of: field.of } : undefined);
  }
  return merged;
}

/** Where a path leads within a value: the container, the key in it, and the rest. */
function step(
  value: JsonValue | undefined,
  name: string,
  field: FieldMerge | undefined,
): number | string | undefined {
  if (name.startsWith("f:")) return name.slice(2);
  if (!Array.isArray(value)) return undefined;
  const at = listSteps(field, value)?.indexOf(name) ?? -1;
  return at < 0 ? undefined : at;
}

function readValue(value: JsonValue, path: Path, type: TypeMerge): JsonValue | undefined {
  let at: JsonValue | undefined = value;
  let field: FieldMerge | undefined;
  let within = type;
  for (const name of path) {
    const key = step(at, name, field);
    if (key === undefined || at === undefined || at === null) return undefined;
    if (typeof key === "string") {
      field = Object.hasOwn(within, key) ? within[key] : undefined;
      within = typeMerge(field?.of);
    }
    at = (at as JsonObject)[key];
  }
  return at;
}

function removeValue(value: JsonValue, path: Path, type: TypeMerge): void {
  const element = path.at(-1) === ".";
  const parents = path.slice(0, element ? -2 : -1);
  const last = element ? path.at(-2) : path.at(-1);
  if (last === undefined) return;
  const parent = readValue(value, parents, type);
  const key = step(parent, last, fieldAt(parents, type));
  if (key === undefined || parent === undefined || parent === null) return;
  if (Array.isArray(parent)) parent.splice(Number(key), 1);
  else if (isJsonObject(parent)) delete parent[key];
}

function fieldAt(path: Path, type: TypeMerge): FieldMerge | undefined {
  let within = type;
  let field: FieldMerge | undefined;
  for (const name of path) {
    if (!name.startsWith("f:")) continue;
    field = Object.hasOwn(within, name.slice(2)) ? within[name.slice(2)] : undefined;
    within = typeMerge(field?.of);
  }
  return field;
}
