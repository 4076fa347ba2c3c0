import { STRUCTS } from "./go-structs.ts";

/**
 * The types that a template's author sees. The data is JSON; existing templates name the fields of the Go structs that it
 * was made from, and rely on the zero values of what is not set.
 */
export type GoType =
  | { kind: "string" | "int" | "float" | "bool" | "bytes" | "quantity" | "any" | "nil" }
  | { kind: "pointer" | "list" | "map"; of: GoType }
  | { kind: "struct"; name: string };

/** JSON with its type; `undefined` is the type's zero value. */
export interface GoValue {
  type: GoType;
  value: unknown;
}

export const STRING: GoType = { kind: "string" };
export const INT: GoType = { kind: "int" };
export const FLOAT: GoType = { kind: "float" };
export const BOOL: GoType = { kind: "bool" };
export const ANY: GoType = { kind: "any" };
export const NIL: GoType = { kind: "nil" };

/** One field of a struct: where it is in the JSON of the struct; `""` is the struct itself (embedded). */
export interface GoField {
  type: GoType;
  key: string;
}

const LETTERS: Readonly<Record<string, GoType>> = {
  s: STRING,
  i: INT,
  f: FLOAT,
  b: BOOL,
  q: { kind: "quantity" },
  y: { kind: "bytes" },
  "?": ANY,
};

/** The type that a word of the table of structs means: `s`, `*i`, `[]Container`, `{}s`. */
export function typeOf(word: string): GoType {
  if (word.startsWith("*")) return { kind: "pointer", of: typeOf(word.slice(1)) };
  if (word.startsWith("[]")) return { kind: "list", of: typeOf(word.slice(2)) };
  if (word.startsWith("{}")) return { kind: "map", of: typeOf(word.slice(2)) };
  return LETTERS[word] ?? { kind: "struct", name: word };
}

/**
 * The way to a field of a struct: one step, or several through embedded structs. `undefined`: there is no such field.
 * Letter case counts, as in Go.
 */
export function fieldPath(struct: string, name: string): GoField[] | undefined {
  const fields = fieldsOf(struct);
  const own = fields.get(name);
  if (own !== undefined) return [own];
  for (const [embedded, field] of fields) {
    const inner = field.type.kind === "struct" ? field.type : undefined;
    if (inner === undefined || !isEmbedded(struct, embedded)) continue;
    const rest = fieldPath(inner.name, name);
    if (rest !== undefined) return [field, ...rest];
  }
  return undefined;
}

/** Names of all fields of a struct, those of embedded ones included. */
export function fieldNames(struct: string): string[] {
  return [...fieldsOf(struct)].flatMap(([name, { type }]) =>
    type.kind === "struct" && isEmbedded(struct, name) ? [name, ...fieldNames(type.name)] : [name],
  );
}

/** A field of the table is `Name:type`, `Name:type=key`, or `Name!type=key` if embedded. */
function fieldsOf(struct: string): Map<string, GoField> {
  const fields = new Map<string, GoField>();
  for (const word of (STRUCTS[struct] ?? "").split(/\s+/).filter(Boolean)) {
    const [, name = "", type = "", key] = /^(\w+)[:!]([^=]+)(?:=(\w*))?$/.exec(word) ?? [];
    fields.set(name, { type: typeOf(type), key: key ?? name });
  }
  return fields;
}

function isEmbedded(struct: string, name: string): boolean {
  return ` ${(STRUCTS[struct] ?? "").replace(/\s+/g, " ")} `.includes(` ${name}!`);
}

/** What a person calls the type. */
export function describeType(type: GoType): string {
  if (type.kind === "struct") return type.name;
  if (type.kind === "pointer") return describeType(type.of);
  if (type.kind === "list" || type.kind === "map")
    return `${type.kind} of ${describeType(type.of)}`;
  return type.kind;
}
