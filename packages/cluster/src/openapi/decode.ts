import { ApiError, badRequest } from "../api/api-error.ts";
import { isJsonObject, type JsonObject, type KubeObject } from "../api/object.ts";
import { canonicalQuantity, parseQuantity } from "../quantity/quantity.ts";
import { apiVersionOf } from "../resources/definition.ts";
import type { TypeRef } from "./declarations.ts";
import type { Schemas } from "./schemas.ts";

/** The part of a request that says how unknown fields are taken, and where warnings go. */
export interface DecodeRequest {
  readonly query: URLSearchParams;
  warn(text: string): void;
}

interface KindName {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
}

const maxDepth = 200;
const maxReported = 100;

/**
 * Turns a body into an object of the kind, as decoding into the Go type does: unknown fields go (and are reported as
 * `fieldValidation` says), a value of the wrong type is an error, quantities become canonical, nulls are dropped.
 */
export class Decoder {
  readonly #schemas: Schemas;

  constructor(schemas: Schemas) {
    this.#schemas = schemas;
  }

  /** The body becomes the object. Throws BadRequest. */
  decode(definition: KindName, body: JsonObject, request: DecodeRequest): KubeObject {
    const expected = apiVersionOf(definition);
    body.apiVersion ??= expected;
    body.kind ??= definition.kind;
    if (body.apiVersion !== expected) {
      throw badRequest(
        `the API version in the data (${show(body.apiVersion)}) does not match the expected API version (${expected})`,
      );
    }
    if (body.kind !== definition.kind) {
      throw badRequest(
        `${show(body.kind)} in version "${definition.version}" cannot be handled as a ${definition.kind}: the kind in the data does not match`,
      );
    }
    body.metadata ??= {};
    if (!isJsonObject(body.metadata)) throw badRequest("metadata must be an object");
    this.#check(definition, body, request);
    return body as unknown as KubeObject;
  }

  #check(definition: KindName, body: JsonObject, request: DecodeRequest): void {
    const id = this.#schemas.idOf(definition.group, definition.kind);
    if (!id) return;
    const unknown: string[] = [];
    const walk = new Walk(this.#schemas, unknown);
    try {
      walk.object(body, id, "", 0);
    } catch (error) {
      if (!(error instanceof TypeMismatch)) throw error;
      throw badRequest(
        `${definition.kind} in version "${definition.version}" cannot be handled as a ${definition.kind}: ${error.message}`,
      );
    }
    if (unknown.length === 0) return;
    const mode = request.query.get("fieldValidation") ?? "Warn";
    const texts = unknown.map((field) => `unknown field "${field}"`);
    if (mode === "Strict") {
      throw new ApiError(
        400,
        "BadRequest",
        `${definition.kind} in version "${definition.version}" cannot be handled as a ${definition.kind}: strict decoding error: ${texts.join(", ")}`,
      );
    }
    if (mode === "Warn") for (const text of texts) request.warn(text);
  }
}

class TypeMismatch extends Error {
  override readonly name = "TypeMismatch";
}

function mismatch(value: unknown, owner: string, path: string, type: string): TypeMismatch {
  const given = Array.isArray(value) ? "array" : typeof value === "boolean" ? "bool" : typeof value;
  const plain = path.replace(/\[[^\]]*\]/g, "");
  return new TypeMismatch(
    `json: cannot unmarshal ${given} into Go struct field ${owner}.${plain} of type ${type}`,
  );
}

/** One pass over one body. */
class Walk {
  readonly #schemas: Schemas;
  readonly #unknown: string[];

  constructor(schemas: Schemas, unknown: string[]) {
    this.#schemas = schemas;
    this.#unknown = unknown;
  }

  object(object: JsonObject, id: string, path: string, depth: number): void {
    if (depth > maxDepth) throw new TypeMismatch("json: exceeded max depth");
    const declaration = this.#schemas.get(id);
    if (!declaration || this.#schemas.isAny(id)) return;
    const owner = id.split(":")[1] ?? "";
    for (const [key, value] of Object.entries(object)) {
      const property = declaration.properties.get(key);
      const at = path === "" ? key : `${path}.${key}`;
      if (!property) {
        if (this.#unknown.length < maxReported) this.#unknown.push(at);
        delete object[key];
      } else if (value === null || value === undefined) {
        delete object[key];
      } else {
        object[key] = this.#value(value, property.type, owner, at, depth) as JsonObject;
      }
    }
  }

  #value(value: unknown, type: TypeRef, owner: string, path: string, depth: number): unknown {
    switch (type.kind) {
      case "any":
        return value;
      case "string":
        if (typeof value !== "string") throw mismatch(value, owner, path, "string");
        return value;
      case "boolean":
        if (typeof value !== "boolean") throw mismatch(value, owner, path, "bool");
        return value;
      case "number":
        if (typeof value !== "number") throw mismatch(value, owner, path, "int32");
        return value;
      case "intOrString":
        if (typeof value !== "number" && typeof value !== "string") {
          throw mismatch(value, owner, path, "intstr.IntOrString");
        }
        return value;
      case "list": {
        if (!Array.isArray(value)) throw mismatch(value, owner, path, "[]");
        const of = type.of;
        return value.map((item: unknown, index) =>
          this.#value(item, of, owner, `${path}[${index}]`, depth + 1),
        );
      }
      case "map": {
        if (!isJsonObject(value)) throw mismatch(value, owner, path, "map[string]string");
        const of = type.of;
        const entries = Object.entries(value).map(([key, item]): [string, unknown] => [
          key,
          this.#value(item ?? emptyOf(of), of, owner, `${path}.${key}`, depth + 1),
        ]);
        return Object.fromEntries(entries);
      }
      case "named":
        return this.#named(value, type.name, owner, path, depth);
      default:
        return value;
    }
  }

  #named(value: unknown, id: string, owner: string, path: string, depth: number): unknown {
    if (id === "api/resource:Quantity") return quantity(value, path);
    if (this.#schemas.isAny(id)) return value;
    if (this.#schemas.get(id)?.alias) {
      if (typeof value !== "string") throw mismatch(value, owner, path, "string");
      if (id.startsWith("meta/v1:") && Number.isNaN(Date.parse(value))) {
        throw new TypeMismatch(
          `parsing time ${JSON.stringify(value)} as "2006-01-02T15:04:05Z07:00": cannot parse ${JSON.stringify(value)} as "2006"`,
        );
      }
      return value;
    }
    if (!isJsonObject(value)) throw mismatch(value, owner, path, id.split(":")[1] ?? "");
    this.object(value, id, path, depth + 1);
    return value;
  }
}

/** null as the value of a map entry is Go's zero value. */
function emptyOf(type: TypeRef): unknown {
  if (type.kind === "list") return [];
  if (type.kind === "string") return "";
  if (type.kind === "number" || type.kind === "intOrString") return 0;
  if (type.kind === "boolean") return false;
  return type.kind === "named" && type.name === "api/resource:Quantity" ? "0" : {};
}

function quantity(value: unknown, path: string): string {
  const text = typeof value === "number" ? String(value) : value;
  if (typeof text !== "string" || !parseQuantity(text)) {
    throw new TypeMismatch(
      `quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$' (at ${path})`,
    );
  }
  return canonicalQuantity(text);
}

function show(value: unknown): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}
