import { ApiError, badRequest } from "../api/api-error.ts";
import { clone, isJsonObject, type JsonValue, sameJson, setOwn } from "../api/object.ts";

type Container = JsonValue[] | { [key: string]: JsonValue | undefined };

const maxOperations = 10_000;

/** RFC 6902. Throws 422 Invalid for an operation that cannot be applied, BadRequest for one that cannot be read. */
export function jsonPatch(original: JsonValue, operations: unknown): JsonValue {
  if (!Array.isArray(operations)) throw badRequest("a JSON patch is a list of operations");
  if (operations.length > maxOperations) {
    throw new ApiError(
      413,
      "RequestEntityTooLarge",
      `The allowed maximum operations in a JSON patch is ${maxOperations}, got ${operations.length}`,
    );
  }
  let document = clone(original);
  for (const operation of operations) document = applyOperation(document, operation);
  return document;
}

function applyOperation(document: JsonValue, operation: unknown): JsonValue {
  if (!isJsonObject(operation)) throw badRequest("an operation of a JSON patch is an object");
  const op = typeof operation.op === "string" ? operation.op : show(operation.op);
  const path = pointer(operation.path, "path");
  switch (op) {
    case "add":
      return add(document, path, valueOf(operation));
    case "replace":
      return replace(document, path, valueOf(operation));
    case "remove":
      return remove(document, path).document;
    case "test": {
      const found = read(document, path);
      if (!sameJson(found ?? null, operation.value ?? null)) {
        throw cannot(`testing path ${show(operation.path)} failed`);
      }
      return document;
    }
    case "copy":
      return add(document, path, clone(must(document, pointer(operation.from, "from"))));
    case "move": {
      const from = pointer(operation.from, "from");
      if (from.length < path.length && from.every((part, index) => part === path[index])) {
        throw cannot(`cannot move ${show(operation.from)} into itself`);
      }
      const taken = remove(document, from);
      return add(taken.document, path, taken.value);
    }
    default:
      throw cannot(`Unexpected kind: ${op}`);
  }
}

function show(value: unknown): string {
  return typeof value === "string" ? value : JSON.stringify(value ?? null);
}

function cannot(why: string): ApiError {
  return new ApiError(
    422,
    "Invalid",
    `the server rejected our request due to an error in our request: ${why}`,
    {},
  );
}

function valueOf(operation: { [key: string]: JsonValue | undefined }): JsonValue {
  if (operation.value === undefined) throw cannot("the operation has no value");
  return clone(operation.value);
}

function pointer(path: unknown, field: string): string[] {
  if (typeof path !== "string" || (path !== "" && !path.startsWith("/"))) {
    throw cannot(`${field} must be a JSON pointer, got ${JSON.stringify(path)}`);
  }
  return path
    .split("/")
    .slice(1)
    .map((part) => part.replaceAll("~1", "/").replaceAll("~0", "~"));
}

function child(container: JsonValue | undefined, key: string): JsonValue | undefined {
  if (Array.isArray(container))
    return /^(0|[1-9]\d*)$/.test(key) ? container[Number(key)] : undefined;
  if (isJsonObject(container)) return Object.hasOwn(container, key) ? container[key] : undefined;
  return undefined;
}

function read(document: JsonValue, path: readonly string[]): JsonValue | undefined {
  let found: JsonValue | undefined = document;
  for (const part of path) found = child(found, part);
  return found;
}

function must(document: JsonValue, path: readonly string[]): JsonValue {
  const found = read(document, path);
  if (found === undefined) throw cannot(`doc is missing path: /${path.join("/")}: missing value`);
  return found;
}

function parentOf(document: JsonValue, path: readonly string[]): [Container, string] {
  const parent = read(document, path.slice(0, -1));
  if (!Array.isArray(parent) && !isJsonObject(parent)) {
    throw cannot(`doc is missing path: /${path.join("/")}: missing value`);
  }
  return [parent, path.at(-1) ?? ""];
}

function position(list: JsonValue[], key: string, maximum: number): number {
  if (key === "-") return list.length;
  const at = /^(0|[1-9]\d*)$/.test(key) ? Number(key) : Number.NaN;
  if (!(at <= maximum)) throw cannot(`index ${key} is out of bounds`);
  return at;
}

function add(document: JsonValue, path: readonly string[], value: JsonValue): JsonValue {
  if (path.length === 0) return value;
  const [parent, key] = parentOf(document, path);
  if (Array.isArray(parent)) parent.splice(position(parent, key, parent.length), 0, value);
  else setOwn(parent, key, value);
  return document;
}

function replace(document: JsonValue, path: readonly string[], value: JsonValue): JsonValue {
  if (path.length === 0) return value;
  must(document, path);
  const [parent, key] = parentOf(document, path);
  if (Array.isArray(parent)) parent[position(parent, key, parent.length - 1)] = value;
  else setOwn(parent, key, value);
  return document;
}

function remove(
  document: JsonValue,
  path: readonly string[],
): { document: JsonValue; value: JsonValue } {
  const value = must(document, path);
  if (path.length === 0) return { document: null, value };
  const [parent, key] = parentOf(document, path);
  if (Array.isArray(parent)) parent.splice(position(parent, key, parent.length - 1), 1);
  else delete parent[key];
  return { document, value };
}
