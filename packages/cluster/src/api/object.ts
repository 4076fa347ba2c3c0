import type { ObjectMeta } from "kubernetes-types/meta/v1.js";

export type JsonValue = null | boolean | number | string | JsonValue[] | JsonObject;

export interface JsonObject {
  [key: string]: JsonValue | undefined;
}

/** ObjectMeta, writable: here the server's own fields are set. */
export type Metadata = { -readonly [Field in keyof ObjectMeta]: ObjectMeta[Field] };

/**
 * Any Kubernetes object as plain JSON. Objects in a store are shared between readers, watches and the serialised cache:
 * they are never changed in place, only replaced (clone first).
 */
export interface KubeObject {
  apiVersion?: string;
  kind?: string;
  metadata: Metadata;
  spec?: unknown;
  status?: unknown;
  [field: string]: unknown;
}

/** Reads a stored object as one of the types of kubernetes-types; the caller knows the kind. */
// oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- a cast with a name
export function as<T>(object: KubeObject): T {
  return object as unknown as T;
}

export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Deep copy of plain JSON; several times faster than structuredClone. */
export function clone<T>(value: T): T {
  if (Array.isArray(value)) return value.map((item) => clone(item as unknown)) as T;
  if (typeof value === "object" && value !== null) {
    const copy: Record<string, unknown> = {};
    for (const [key, item] of Object.entries(value)) setOwn(copy, key, clone(item as unknown));
    return copy as T;
  }
  return value;
}

/** Sets a key of a plain object so that `__proto__` is a key like any other. */
export function setOwn(object: object, key: string, value: unknown): void {
  if (key === "__proto__") {
    Object.defineProperty(object, key, {
      value,
      enumerable: true,
      configurable: true,
      writable: true,
    });
    return;
  }
  (object as Record<string, unknown>)[key] = value;
}

/** Equality of plain JSON; an undefined field equals a missing one. */
export function sameJson(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return false;
  if (Array.isArray(a) || Array.isArray(b)) {
    if (!Array.isArray(a) || !Array.isArray(b) || a.length !== b.length) return false;
    return a.every((item, index) => sameJson(item, b[index]));
  }
  const left = a as Record<string, unknown>;
  const right = b as Record<string, unknown>;
  for (const key of Object.keys(left)) {
    if (!sameJson(left[key], Object.hasOwn(right, key) ? right[key] : undefined)) return false;
  }
  for (const key of Object.keys(right)) {
    if (right[key] !== undefined && !Object.hasOwn(left, key)) return false;
  }
  return true;
}

/** `namespace/name`, or the name alone for what belongs to no namespace: the key of a store. */
export function objectKey(namespace: string | undefined, name: string): string {
  return namespace ? `${namespace}/${name}` : name;
}
