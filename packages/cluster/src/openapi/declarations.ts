/**
 * Reads the type declarations of the package kubernetes-types (`core/v1.d.ts` …), which were generated from the
 * OpenAPI of Kubernetes and carry its descriptions. The files are regular, so a line parser is enough: imports, doc
 * comments, `export interface X {`, fields, maps, `}` and `export type X = string;`.
 */

export type TypeRef =
  | { readonly kind: "string" | "boolean" | "number" | "any" | "intOrString" }
  | { readonly kind: "list"; readonly of: TypeRef }
  | { readonly kind: "map"; readonly of: TypeRef }
  | { readonly kind: "named"; readonly name: string };

export interface Property {
  readonly description: string;
  readonly type: TypeRef;
  readonly required: boolean;
}

export interface Declaration {
  /** The file and the name: `core/v1:Pod`. */
  readonly id: string;
  readonly description: string;
  readonly properties: ReadonlyMap<string, Property>;
  /** `export type X = string`: no properties, a scalar. */
  readonly alias: boolean;
}

const fieldPattern = /^ {4}"?([\w$-]+)"?(\??): (.+)$/;

/** Joins the lines of a doc comment to one text. */
function commentText(lines: readonly string[]): string {
  return lines
    .map((line) => line.replace(/^\s*\/\*\*\s?/, "").replace(/\s*\*\/$/, ""))
    .map((line) => line.replace(/^\s*\*\s?/, ""))
    .join("\n")
    .trim();
}

function parseType(text: string, resolve: (name: string) => string): TypeRef {
  if (text === "string" || text.startsWith('"')) return { kind: "string" };
  if (text === "boolean" || text === "number") return { kind: text };
  if (text === "number | string" || text === "string | number") return { kind: "intOrString" };
  if (text === "any" || text === "object" || text === "unknown") return { kind: "any" };
  const list = /^Array<(.+)>$/.exec(text);
  if (list?.[1]) return { kind: "list", of: parseType(list[1], resolve) };
  if (/^\w+$/.test(text)) return { kind: "named", name: resolve(text) };
  return { kind: "any" };
}

/** All declarations of one file; `module` is its path without `.d.ts`, e.g. `core/v1`. */
export function parseDeclarations(module: string, text: string): Declaration[] {
  const imports = new Map<string, string>();
  const declarations: Declaration[] = [];
  const resolve = (name: string): string => imports.get(name) ?? `${module}:${name}`;
  let comment: string[] = [];
  let inComment = false;
  let current: { id: string; description: string; properties: Map<string, Property> } | undefined;
  let mapField: { name: string; required: boolean; description: string } | undefined;

  const takeComment = (): string => {
    const found = commentText(comment);
    comment = [];
    return found;
  };

  for (const line of text.split("\n")) {
    const trimmed = line.trim();
    if (inComment || trimmed.startsWith("/**")) {
      if (!inComment) comment = [];
      comment.push(line);
      inComment = !trimmed.endsWith("*/");
      continue;
    }
    if (!current) {
      const imported = /^import \{ (.+) \} from "(.+)";$/.exec(line);
      if (imported) {
        const source = resolveModule(module, imported[2] ?? "");
        for (const name of (imported[1] ?? "").split(", ")) imports.set(name, `${source}:${name}`);
        continue;
      }
      const alias = /^export type (\w+) = \w+;$/.exec(line);
      if (alias) {
        declarations.push({
          id: `${module}:${alias[1]}`,
          description: takeComment(),
          properties: new Map(),
          alias: true,
        });
        continue;
      }
      const opened = /^export interface (\w+) \{$/.exec(line);
      if (opened) {
        current = {
          id: `${module}:${opened[1]}`,
          description: takeComment(),
          properties: new Map(),
        };
      }
      continue;
    }
    if (line === "}") {
      declarations.push({ ...current, alias: false });
      current = undefined;
      continue;
    }
    if (mapField) {
      const entry = /^ {8}\[name: string\]: (.+);$/.exec(line);
      if (entry?.[1]) {
        const { name, required, description } = mapField;
        const type: TypeRef = { kind: "map", of: parseType(entry[1], resolve) };
        current.properties.set(name, { description, required, type });
      } else if (trimmed === "};") {
        mapField = undefined;
      }
      continue;
    }
    const field = fieldPattern.exec(line);
    if (!field) continue;
    const [, name = "", optional, type = ""] = field;
    const required = optional !== "?";
    const description = takeComment();
    if (type === "{") mapField = { name, required, description };
    else {
      const parsed = parseType(type.replace(/;$/, ""), resolve);
      current.properties.set(name, { description, required, type: parsed });
    }
  }
  return declarations;
}

/** `../meta/v1` seen from `core/v1` is `meta/v1`. */
function resolveModule(from: string, relative: string): string {
  const path = from.split("/").slice(0, -1);
  for (const part of relative.split("/")) {
    if (part === "..") path.pop();
    else if (part !== ".") path.push(part);
  }
  return path.join("/");
}
