import { ProtocolError } from "../errors.ts";

/** Deeper than any Kubernetes object; far below what recursion could not stand. */
const MAX_DEPTH = 64;

/** Text or UTF-8 bytes to a value. Throws `malformed`. An empty body is malformed too. */
export function parseJson(body: string | Uint8Array): unknown {
  const text = typeof body === "string" ? body : decodeUtf8(body);
  try {
    return JSON.parse(text) as unknown;
  } catch (cause) {
    throw new ProtocolError(
      "malformed",
      text.trim() === "" ? "the body is empty; JSON is expected" : "the body is not valid JSON",
      { cause: withoutInput(cause) },
    );
  }
}

function decodeUtf8(bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new ProtocolError("malformed", "the body is not valid UTF-8", { cause });
  }
}

/** V8 quotes the input in its message, which may hold a secret. */
function withoutInput(cause: unknown): Error {
  return new Error(cause instanceof SyntaxError ? "JSON.parse failed" : "cannot parse");
}

/**
 * Refuses values that are dangerous to walk or to copy: too deep, numbers beyond double range, and the keys that
 * turn a careless copy into prototype pollution. Iterative, so that depth itself cannot hurt. Throws `invalid`.
 */
export function assertTame(value: unknown): void {
  let level: unknown[] = [value];
  for (let depth = 0; level.length > 0; depth++) {
    if (depth > MAX_DEPTH) {
      throw new ProtocolError("invalid", `the body is nested deeper than ${MAX_DEPTH} levels`);
    }
    const next: unknown[] = [];
    for (const item of level) {
      if (typeof item === "number" && !Number.isFinite(item)) {
        throw new ProtocolError("invalid", "the body holds a number too large to be represented");
      }
      if (typeof item !== "object" || item === null) continue;
      if (Array.isArray(item)) {
        for (const child of item) next.push(child);
        continue;
      }
      for (const key of Object.keys(item)) {
        const child = (item as Record<string, unknown>)[key];
        if (key === "__proto__" || (key === "constructor" && hasPrototypeKey(child))) {
          throw new ProtocolError("invalid", `the field name "${key}" is not accepted`);
        }
        next.push(child);
      }
    }
    level = next;
  }
}

function hasPrototypeKey(value: unknown): boolean {
  return typeof value === "object" && value !== null && Object.hasOwn(value, "prototype");
}

/** A JSON object: not null, not an array. */
export function isJsonObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
