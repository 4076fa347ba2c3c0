import { badRequest } from "../api/api-error.ts";
import {
  clone,
  isJsonObject,
  type JsonObject,
  type JsonValue,
  sameJson,
  setOwn,
} from "../api/object.ts";
import { mergeTypes, plainObject, type TypeMerge, typeMerge } from "./merge-keys.ts";

/**
 * Strategic merge patch, after `k8s.io/apimachinery/pkg/util/strategicpatch`. The stages of one map: `$patch`,
 * `$retainKeys`, lists that come with `$setElementOrder`, then key by key. Lists with a merge key go through: special
 * elements (`$patch: delete|replace`), merge by key, then the order that the real server gives.
 */
export function strategicMerge(original: JsonObject, patch: JsonObject, kind: string): JsonObject {
  return mergeMap(clone(original), clone(patch), mergeTypes[kind] ?? plainObject);
}

const orderPrefix = "$setElementOrder/";
const deletePrefix = "$deleteFromPrimitiveList/";

/** `original` and `patch` are private copies. */
function mergeMap(original: JsonObject, patch: JsonObject, type: TypeMerge): JsonObject {
  if (patch.$patch !== undefined) {
    const { $patch: directive, ...rest } = patch;
    if (directive === "replace") return withoutDirectives(rest) as JsonObject;
    if (directive === "delete") return {};
    throw badRequest(`unknown patch type ${JSON.stringify(directive)}: use replace or delete`);
  }
  retainKeys(original, patch);
  applyElementOrders(original, patch, type);
  for (const [key, value] of Object.entries(patch)) {
    if (key.startsWith(deletePrefix)) {
      deleteScalars(original, key.slice(deletePrefix.length), value);
    } else if (value === null || value === undefined) {
      delete original[key];
    } else {
      setOwn(original, key, mergeValue(own(original, key), value, key, type));
    }
  }
  return original;
}

function own(object: JsonObject, key: string): JsonValue | undefined {
  return Object.hasOwn(object, key) ? object[key] : undefined;
}

function mergeValue(
  before: JsonValue | undefined,
  patch: JsonValue,
  key: string,
  type: TypeMerge,
): JsonValue {
  const field = Object.hasOwn(type, key) ? type[key] : undefined;
  if (isJsonObject(before) && isJsonObject(patch)) {
    return mergeMap(before, patch, typeMerge(field?.of));
  }
  if (Array.isArray(before) && Array.isArray(patch)) return mergeLists(before, patch, field);
  return withoutDirectives(patch);
}

/** What is new to the object is taken as it is, but directives and nulls in it mean nothing. */
function withoutDirectives(value: JsonValue): JsonValue {
  if (Array.isArray(value)) {
    return value
      .filter((item) => !(isJsonObject(item) && item.$patch !== undefined))
      .map((item) => withoutDirectives(item));
  }
  if (!isJsonObject(value)) return value;
  const result: JsonObject = {};
  for (const [key, item] of Object.entries(value)) {
    const directive =
      key === "$patch" ||
      key === "$retainKeys" ||
      key.startsWith(orderPrefix) ||
      key.startsWith(deletePrefix);
    if (directive || item === null || item === undefined) continue;
    setOwn(result, key, withoutDirectives(item));
  }
  return result;
}

function retainKeys(original: JsonObject, patch: JsonObject): void {
  const keep = patch.$retainKeys;
  if (keep === undefined) return;
  delete patch.$retainKeys;
  if (!Array.isArray(keep)) throw badRequest("$retainKeys must be a list of field names");
  for (const key of Object.keys(original)) if (!keep.includes(key)) delete original[key];
}

function deleteScalars(original: JsonObject, key: string, value: JsonValue | undefined): void {
  const list = own(original, key);
  if (!Array.isArray(list)) return;
  if (!Array.isArray(value)) throw badRequest(`${deletePrefix}${key} must be a list`);
  setOwn(
    original,
    key,
    list.filter((item) => !value.some((gone) => sameJson(gone, item))),
  );
}

function applyElementOrders(original: JsonObject, patch: JsonObject, type: TypeMerge): void {
  for (const [directive, order] of Object.entries(patch)) {
    if (!directive.startsWith(orderPrefix)) continue;
    delete patch[directive];
    if (!Array.isArray(order)) throw badRequest(`${directive} must be a list`);
    const key = directive.slice(orderPrefix.length);
    const field = Object.hasOwn(type, key) ? type[key] : undefined;
    const before = own(original, key);
    const change = own(patch, key);
    const inOriginal = Array.isArray(before);
    const inPatch = Array.isArray(change);
    if (!inOriginal && !inPatch) continue;
    const merged = !inPatch
      ? (before as JsonValue[])
      : inOriginal
        ? mergeLists(before, change, field)
        : (withoutDirectives(change) as JsonValue[]);
    const same = identity(field?.key);
    setOwn(original, key, inOrder(merged, order, inOriginal ? before : [], same));
    delete patch[key];
  }
}

type Same = (a: JsonValue, b: JsonValue) => boolean;

/** Elements are the same when their merge key is; scalars when they are equal. */
function identity(key: string | undefined): Same {
  if (key === undefined) return sameJson;
  return (a, b) => isJsonObject(a) && isJsonObject(b) && sameJson(own(a, key), own(b, key));
}

function mergeLists(
  before: JsonValue[],
  patch: JsonValue[],
  field: { key?: string; set?: true; of?: string } | undefined,
): JsonValue[] {
  if (field?.key !== undefined) return mergeByKey(before, patch, field.key, typeMerge(field.of));
  if (field?.set) {
    const merged: JsonValue[] = [];
    for (const item of [...before, ...patch]) {
      if (!merged.some((known) => sameJson(known, item))) merged.push(item);
    }
    return inOrder(merged, patch, before, sameJson);
  }
  return patch.map((item) => withoutDirectives(item));
}

function mergeByKey(
  original: JsonValue[],
  patch: JsonValue[],
  key: string,
  type: TypeMerge,
): JsonValue[] {
  const same = identity(key);
  let before = original;
  let replace = false;
  const changes: JsonObject[] = [];
  for (const element of patch) {
    if (!isJsonObject(element)) throw badRequest(`a list merged by "${key}" must hold objects`);
    if (element.$patch === undefined) {
      changes.push(element);
    } else if (element.$patch === "replace") {
      replace = true;
    } else if (element.$patch === "delete") {
      if (own(element, key) === undefined) throw missingKey(key, element);
      before = before.filter((item) => !same(item, element));
    } else {
      throw badRequest(
        `unknown patch type ${JSON.stringify(element.$patch)}: use replace or delete`,
      );
    }
  }
  if (replace) return changes.map((item) => withoutDirectives(item));

  const merged = [...before];
  for (const change of changes) {
    if (own(change, key) === undefined) throw missingKey(key, change);
    const at = merged.findIndex((item) => same(item, change));
    const found = at < 0 ? undefined : merged[at];
    if (isJsonObject(found)) merged[at] = mergeMap(found, change, type);
    else merged.push(mergeMap({}, change, type));
  }
  return inOrder(merged, changes, before, same);
}

function missingKey(key: string, element: JsonObject): Error {
  return badRequest(`map: ${JSON.stringify(element)} does not contain declared merge key: ${key}`);
}

/**
 * `normalizeElementOrder`: what the order names comes in that order, the rest in the server's; between the two, an
 * element of the rest goes first only when the server had it before the other.
 */
function inOrder(
  merged: JsonValue[],
  order: readonly JsonValue[],
  serverOrder: readonly JsonValue[],
  same: Same,
): JsonValue[] {
  const index = (list: readonly JsonValue[], item: JsonValue): number =>
    list.findIndex((other) => same(other, item));
  const byIndex = (list: readonly JsonValue[]) => (a: JsonValue, b: JsonValue) =>
    index(list, a) - index(list, b);
  const named = merged.filter((item) => index(order, item) >= 0).sort(byIndex(order));
  const rest = merged.filter((item) => index(order, item) < 0).sort(byIndex(serverOrder));
  const result: JsonValue[] = [];
  let left = 0;
  let right = 0;
  while (left < rest.length && right < named.length) {
    const restAt = index(serverOrder, rest[left] as JsonValue);
    const namedAt = index(serverOrder, named[right] as JsonValue);
    if (restAt >= 0 && namedAt >= 0 && restAt < namedAt) result.push(rest[left++] as JsonValue);
    else result.push(named[right++] as JsonValue);
  }
  return [...result, ...rest.slice(left), ...named.slice(right)];
}
