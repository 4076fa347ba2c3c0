import type { VirtualResource } from "../discovery/discovery.ts";
import { mergeTypes, plainObject } from "../patch/merge-keys.ts";
import type { ResourceDefinition } from "../resources/definition.ts";
import type { Declaration, TypeRef } from "./declarations.ts";
import { groupPath, groupVersionKind, openApiName } from "./names.ts";
import type { Schemas } from "./schemas.ts";

type Schema = Record<string, unknown>;

/**
 * OpenAPI v3 per group and version, made on first request: the schemas with their descriptions and patch strategies
 * (`kubectl explain`, client-side apply), and the paths with as much as kubectl looks at.
 */
export class OpenApi {
  readonly #schemas: Schemas;
  readonly #definitions: readonly ResourceDefinition[];
  readonly #virtual: readonly VirtualResource[];
  readonly #documents = new Map<string, string>();

  constructor(
    schemas: Schemas,
    definitions: readonly ResourceDefinition[],
    virtual: readonly VirtualResource[],
  ) {
    this.#schemas = schemas;
    this.#definitions = definitions;
    this.#virtual = virtual;
  }

  /** `/openapi/v3`. */
  index(): object {
    const prefixes = new Set([...this.#definitions, ...this.#virtual].map(groupPath));
    const paths = [...prefixes]
      .sort()
      .map((prefix): [string, object] => [
        prefix,
        { serverRelativeURL: `/openapi/v3/${prefix}?hash=1` },
      ]);
    return { paths: Object.fromEntries(paths) };
  }

  /** `/openapi/v3/<prefix>` as text; undefined when nothing is served there. */
  document(prefix: string): string | undefined {
    const known = this.#documents.get(prefix);
    if (known !== undefined) return known;
    const definitions = this.#definitions.filter((item) => groupPath(item) === prefix);
    const virtual = this.#virtual.filter((item) => groupPath(item) === prefix);
    if (definitions.length === 0 && virtual.length === 0) return undefined;
    const text = JSON.stringify({
      openapi: "3.0.0",
      info: { title: "Kubernetes", version: "v1.33.0" },
      paths: Object.fromEntries(definitions.flatMap((item) => pathsOf(item, prefix))),
      components: { schemas: this.#components([...definitions, ...virtual]) },
    });
    this.#documents.set(prefix, text);
    return text;
  }

  /** Every schema that the kinds reach. */
  #components(kinds: readonly { group: string; kind: string; version: string }[]): Schema {
    const components: Schema = {};
    const queue: string[] = [];
    const byId = new Map<string, object>();
    for (const item of kinds) {
      const id = this.#schemas.idOf(item.group, item.kind);
      if (!id) continue;
      queue.push(id);
      byId.set(id, { group: item.group, kind: item.kind, version: item.version });
    }
    for (let id = queue.shift(); id !== undefined; id = queue.shift()) {
      const name = openApiName(id);
      const declaration = this.#schemas.get(id);
      if (!declaration || components[name]) continue;
      const schema = schemaOf(declaration);
      const kind = byId.get(id);
      if (kind) schema["x-kubernetes-group-version-kind"] = [kind];
      components[name] = schema;
      for (const { type } of declaration.properties.values()) queue.push(...namesIn(type));
    }
    return components;
  }
}

function namesIn(type: TypeRef): string[] {
  if (type.kind === "named") return [type.name];
  return type.kind === "list" || type.kind === "map" ? namesIn(type.of) : [];
}

function schemaOf(declaration: Declaration): Schema {
  const { description, properties, id } = declaration;
  if (declaration.alias) {
    const isTime = id.startsWith("meta/v1:");
    return { description, type: "string", ...(isTime ? { format: "date-time" } : {}) };
  }
  if (properties.size === 0) return { description, type: "object" };
  const name = id.split(":")[1] ?? "";
  const merge = mergeTypes[name] ?? (properties.has("metadata") ? plainObject : {});
  const required = [...properties].filter(([, property]) => property.required);
  const fields = [...properties].map(([field, property]): [string, Schema] => {
    const schema = { description: property.description, ...typeSchema(property.type) };
    const how = merge[field];
    if (how?.key) {
      Object.assign(schema, {
        "x-kubernetes-list-type": "map",
        "x-kubernetes-list-map-keys": [how.key],
        "x-kubernetes-patch-merge-key": how.key,
        "x-kubernetes-patch-strategy":
          how.key === "name" && (field === "volumes" || field === "resourceClaims")
            ? "merge,retainKeys"
            : "merge",
      });
    } else if (how?.set) {
      Object.assign(schema, {
        "x-kubernetes-list-type": "set",
        "x-kubernetes-patch-strategy": "merge",
      });
    }
    return [field, schema];
  });
  return {
    description,
    type: "object",
    properties: Object.fromEntries(fields),
    ...(required.length > 0 ? { required: required.map(([field]) => field) } : {}),
  };
}

function typeSchema(type: TypeRef): Schema {
  switch (type.kind) {
    case "string":
    case "boolean":
      return { type: type.kind };
    case "number":
      return { type: "integer", format: "int32" };
    case "intOrString":
      return { oneOf: [{ type: "integer" }, { type: "string" }], format: "int-or-string" };
    case "list":
      return { type: "array", items: typeSchema(type.of) };
    case "map":
      return { type: "object", additionalProperties: typeSchema(type.of) };
    case "named":
      return { allOf: [{ $ref: `#/components/schemas/${openApiName(type.name)}` }] };
    case "any":
    default:
      return { type: "object" };
  }
}

function queryParameter(name: string, type = "string"): object {
  return { name, in: "query", schema: { type, uniqueItems: true } };
}

const writeParameters = [
  queryParameter("dryRun"),
  queryParameter("fieldManager"),
  queryParameter("fieldValidation"),
];

const patchTypes = [
  "application/json-patch+json",
  "application/merge-patch+json",
  "application/strategic-merge-patch+json",
  "application/apply-patch+yaml",
];

function pathsOf(definition: ResourceDefinition, prefix: string): [string, object][] {
  const scope = definition.namespaced ? "/namespaces/{namespace}" : "";
  const collection = `/${prefix}${scope}/${definition.plural}`;
  const gvk = { "x-kubernetes-group-version-kind": groupVersionKind(definition) };
  const responses = { "200": { description: "OK" } };
  const operation = (action: string, parameters: readonly object[] = []): object => ({
    parameters,
    responses,
    "x-kubernetes-action": action,
    ...gvk,
  });
  const patch = {
    ...operation("patch", [...writeParameters, queryParameter("force", "boolean")]),
    requestBody: {
      content: Object.fromEntries(patchTypes.map((type) => [type, { schema: { type: "object" } }])),
    },
  };
  return [
    [
      collection,
      {
        get: operation("list"),
        post: operation("post", writeParameters),
        delete: operation("deletecollection"),
      },
    ],
    [
      `${collection}/{name}`,
      {
        get: operation("get"),
        put: operation("put", writeParameters),
        patch,
        delete: operation("delete"),
      },
    ],
  ];
}
