import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { messages } from "../protobuf/messages.ts";
import {
  type Declaration,
  type Property,
  parseDeclarations,
  type TypeRef,
} from "./declarations.ts";

const modules = [
  "api/resource",
  "authentication/v1",
  "authorization/v1",
  "batch/v1",
  "certificates/v1",
  "coordination/v1",
  "core/v1",
  "meta/v1",
  "node/v1",
  "policy/v1",
  "rbac/v1",
  "runtime",
  "scheduling/v1",
  "storage/v1",
] as const;

/** The module of each API group's types. */
const groupModules: Readonly<Record<string, string>> = {
  "": "core/v1",
  "authentication.k8s.io": "authentication/v1",
  "authorization.k8s.io": "authorization/v1",
  batch: "batch/v1",
  "certificates.k8s.io": "certificates/v1",
  "coordination.k8s.io": "coordination/v1",
  "node.k8s.io": "node/v1",
  policy: "policy/v1",
  "rbac.authorization.k8s.io": "rbac/v1",
  "scheduling.k8s.io": "scheduling/v1",
  "storage.k8s.io": "storage/v1",
};

/** Types that stand for any JSON. */
const anyTypes = new Set(["runtime:RawExtension", "meta/v1:FieldsV1"]);

/**
 * The schemas of all kinds: names, required fields and descriptions from kubernetes-types (1.30), fields that came later
 * from the protobuf table. Empty when the declaration files cannot be found (a bundle): then nothing is checked.
 */
export class Schemas {
  readonly #types = new Map<string, Declaration>();

  static load(): Schemas {
    const schemas = new Schemas();
    let root: string;
    try {
      const require = createRequire(import.meta.url);
      root = dirname(require.resolve("kubernetes-types/package.json"));
    } catch {
      return schemas;
    }
    for (const module of modules) {
      const text = readFileSync(join(root, `${module}.d.ts`), "utf8");
      for (const declaration of parseDeclarations(module, text)) {
        schemas.#types.set(declaration.id, declaration);
      }
    }
    schemas.#addLaterFields();
    return schemas;
  }

  get(id: string): Declaration | undefined {
    return this.#types.get(id);
  }

  /** The type of a kind, e.g. `core/v1:Pod`. */
  idOf(group: string, kind: string): string | undefined {
    const id = `${groupModules[group] ?? ""}:${kind}`;
    return this.#types.has(id) ? id : undefined;
  }

  isAny(id: string): boolean {
    return anyTypes.has(id);
  }

  /** Adds the fields that the protobuf table knows and the declarations do not. */
  #addLaterFields(): void {
    const byName = new Map<string, Declaration>();
    for (const declaration of this.#types.values()) {
      const name = declaration.id.split(":")[1] ?? "";
      const known = byName.get(name);
      if (!known || declaration.id.startsWith("core/")) byName.set(name, declaration);
    }
    for (const message of Object.keys(messages)) this.#declare(message, byName);
    for (const [message, text] of Object.entries(messages)) {
      const declaration = byName.get(message);
      if (!declaration || declaration.alias) continue;
      const properties = new Map(declaration.properties);
      for (const part of text.split("|")) {
        const match = /^\d+ ([*%&]?)(\w+) (\w+)$/.exec(part);
        const [, flag = "", type = "", name = ""] = match ?? [];
        if (!match || properties.has(name)) continue;
        properties.set(name, laterField(flag, type, byName));
      }
      this.#types.set(declaration.id, { ...declaration, properties });
    }
  }

  /** A type that is newer than the declarations altogether. */
  #declare(message: string, byName: Map<string, Declaration>): void {
    if (byName.has(message)) return;
    const declaration: Declaration = {
      id: `core/v1:${message}`,
      description: "",
      properties: new Map(),
      alias: false,
    };
    byName.set(message, declaration);
    this.#types.set(declaration.id, declaration);
  }
}

const scalars: Readonly<Record<string, TypeRef>> = {
  s: { kind: "string" },
  y: { kind: "string" },
  i: { kind: "number" },
  d: { kind: "number" },
  b: { kind: "boolean" },
  T: { kind: "named", name: "meta/v1:Time" },
  M: { kind: "named", name: "meta/v1:MicroTime" },
  Q: { kind: "named", name: "api/resource:Quantity" },
  X: { kind: "intOrString" },
  R: { kind: "any" },
  L: { kind: "list", of: { kind: "string" } },
};

function laterField(
  flag: string,
  type: string,
  byName: ReadonlyMap<string, Declaration>,
): Property {
  const id = byName.get(type)?.id;
  const item: TypeRef = scalars[type] ?? (id ? { kind: "named", name: id } : { kind: "any" });
  const whole: TypeRef =
    flag === "*" ? { kind: "list", of: item } : flag === "%" ? { kind: "map", of: item } : item;
  return { description: "", required: false, type: whole };
}
