import { ApiError } from "../api/api-error.ts";
import type { KubeObject } from "../api/object.ts";
import { apiVersionOf, type ResourceDefinition } from "../resources/definition.ts";
import { renderRow, tableColumns } from "../tables/render.ts";

/** The forms in which a client can ask for an object (`Accept: application/json;as=...`). */
export type Form = "object" | "table" | "partial";

interface MediaRange {
  type: string;
  parameters: Record<string, string>;
}

function parseAccept(header: string): MediaRange[] {
  return header
    .split(",")
    .map((part) => {
      const [type = "", ...rest] = part.split(";").map((text) => text.trim());
      const pairs = rest.map((text): [string, string] => {
        const [key = "", value = ""] = text.split("=");
        return [key, value];
      });
      return { type: type.toLowerCase(), parameters: Object.fromEntries(pairs) };
    })
    .filter((range) => range.type !== "");
}

const jsonTypes = new Set(["application/json", "application/*", "*/*"]);

/** The first media range of Accept that this server can give. Throws 406. */
export function negotiate(accept: string | undefined): Form {
  if (!accept) return "object";
  for (const { type, parameters } of parseAccept(accept)) {
    if (!jsonTypes.has(type)) continue;
    if (parameters.as === undefined) return "object";
    const known = parameters.g === "meta.k8s.io" && ["v1", "v1beta1"].includes(parameters.v ?? "");
    if (known && parameters.as === "Table") return "table";
    if (known && parameters.as.startsWith("PartialObjectMetadata")) return "partial";
  }
  throw new ApiError(
    406,
    "NotAcceptable",
    "only the following media types are accepted: application/json",
  );
}

/** True when the client understands the aggregated form of discovery. */
export function wantsAggregatedDiscovery(accept: string | undefined): "v2" | "v2beta1" | undefined {
  for (const { type, parameters } of parseAccept(accept ?? "")) {
    if (type !== "application/json") continue;
    if (parameters.as !== "APIGroupDiscoveryList") return undefined;
    if (parameters.v === "v2" || parameters.v === "v2beta1") return parameters.v;
  }
  return undefined;
}

/** Serialises each stored object once, however many readers it has. */
export class ObjectJson {
  readonly #cache = new WeakMap<KubeObject, string>();

  of(object: KubeObject): string {
    let text = this.#cache.get(object);
    if (text === undefined) {
      text = JSON.stringify(object);
      this.#cache.set(object, text);
    }
    return text;
  }
}

export function partialMetadata(object: KubeObject): object {
  return {
    kind: "PartialObjectMetadata",
    apiVersion: "meta.k8s.io/v1",
    metadata: object.metadata,
  };
}

/** Writes objects and lists of one resource in the form that one request asked for. */
export class Representation {
  readonly #definition: ResourceDefinition;
  readonly #form: Form;
  readonly #json: ObjectJson;
  readonly #now: () => number;
  readonly #include: string;

  constructor(
    definition: ResourceDefinition,
    form: Form,
    json: ObjectJson,
    now: () => number,
    query: URLSearchParams,
  ) {
    this.#definition = definition;
    this.#form = form;
    this.#json = json;
    this.#now = now;
    this.#include = query.get("includeObject") ?? "Metadata";
  }

  get form(): Form {
    return this.#form;
  }

  object(object: KubeObject): string {
    if (this.#form === "object") return this.#json.of(object);
    if (this.#form === "partial") return JSON.stringify(partialMetadata(object));
    return this.#table([object], { resourceVersion: object.metadata.resourceVersion }, true);
  }

  list(items: readonly KubeObject[], metadata: object): string {
    if (this.#form === "table") return this.#table(items, metadata, true);
    const partial = this.#form === "partial";
    const kind = partial ? "PartialObjectMetadataList" : `${this.#definition.kind}List`;
    const apiVersion = partial ? "meta.k8s.io/v1" : apiVersionOf(this.#definition);
    const texts = items.map((item) => this.object(item));
    return `{"kind":"${kind}","apiVersion":"${apiVersion}","metadata":${JSON.stringify(metadata)},"items":[${texts.join(",")}]}`;
  }

  /** The object of a watch event; in tables only the first event names the columns. */
  watched(object: KubeObject, first: boolean): string {
    if (this.#form !== "table") return this.object(object);
    return this.#table([object], { resourceVersion: object.metadata.resourceVersion }, first);
  }

  bookmark(version: number, initialEventsEnd: boolean): string {
    const annotations = initialEventsEnd ? { "k8s.io/initial-events-end": "true" } : undefined;
    const metadata = {
      resourceVersion: String(version),
      ...(annotations ? { annotations } : {}),
    };
    if (this.#form === "table") return this.#table([], metadata, false);
    if (this.#form === "partial") {
      return JSON.stringify({
        kind: "PartialObjectMetadata",
        apiVersion: "meta.k8s.io/v1",
        metadata: { ...metadata, creationTimestamp: null },
      });
    }
    return JSON.stringify({
      kind: this.#definition.kind,
      apiVersion: apiVersionOf(this.#definition),
      metadata: { ...metadata, creationTimestamp: null },
    });
  }

  #table(items: readonly KubeObject[], metadata: object, withColumns: boolean): string {
    const now = this.#now();
    const rows = items.map((item) => ({
      cells: renderRow(this.#definition, item, now),
      ...this.#rowObject(item),
    }));
    return JSON.stringify({
      kind: "Table",
      apiVersion: "meta.k8s.io/v1",
      metadata,
      columnDefinitions: withColumns ? tableColumns(this.#definition) : null,
      rows,
    });
  }

  #rowObject(item: KubeObject): { object?: unknown } {
    if (this.#include === "None") return {};
    return { object: this.#include === "Object" ? item : partialMetadata(item) };
  }
}
