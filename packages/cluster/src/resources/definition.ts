import type { FieldErrors } from "../api/field-errors.ts";
import type { KubeObject } from "../api/object.ts";
import type { Column } from "../tables/column.ts";

export interface DeleteOptions {
  gracePeriodSeconds?: number;
  propagationPolicy?: "Orphan" | "Background" | "Foreground";
  orphanDependents?: boolean;
  preconditions?: { uid?: string; resourceVersion?: string };
  dryRun?: string[];
}

/** What admission may look at. */
export interface AdmissionContext {
  readonly user: string;
  readonly groups: readonly string[];
  readonly uid: string | undefined;
  /** Another object of the cluster: `find("serviceaccounts", "default", "builder")`. */
  find(plural: string, namespace: string | undefined, name: string): KubeObject | undefined;
  /** A cluster-wide object of another group: `findIn("scheduling.k8s.io", "priorityclasses", "high")`. */
  findIn(group: string, plural: string, name: string): KubeObject | undefined;
  /** Five random characters of the alphabet of generateName. */
  suffix(): string;
  /** Now, as milliseconds since the epoch. */
  now(): number;
  /** A sentence for the client's `Warning` header. */
  warn(text: string): void;
}

/**
 * What is particular to a kind. Each hook may change the object that it is given (it is a private copy) but not `old`.
 * Order on create: prepareForCreate, defaults, admit, validate. On update: defaults, prepareForUpdate, validateUpdate.
 */
export interface Strategy {
  readonly defaults?: (object: KubeObject) => void;
  readonly prepareForCreate?: (object: KubeObject, context: AdmissionContext) => void;
  readonly admit?: (object: KubeObject, context: AdmissionContext) => void;
  readonly validate?: (object: KubeObject, errors: FieldErrors) => void;
  readonly prepareForUpdate?: (
    object: KubeObject,
    old: KubeObject,
    context: AdmissionContext,
  ) => void;
  readonly validateUpdate?: (object: KubeObject, old: KubeObject, errors: FieldErrors) => void;
  readonly prepareForStatusUpdate?: (object: KubeObject, old: KubeObject) => void;
  readonly validateStatusUpdate?: (
    object: KubeObject,
    old: KubeObject,
    errors: FieldErrors,
  ) => void;
  /** Subresources that are a part of the object beside its status (`resize`, `ephemeralcontainers`), by name. */
  readonly parts?: Readonly<Record<string, PartStrategy>>;
  /**
   * Kinds that are deleted gracefully: the grace that this deletion gets, in seconds. Absent: removed at once.
   * (`CheckGracefulDelete` of pkg/registry.)
   */
  readonly gracePeriod?: (object: KubeObject, options: DeleteOptions) => number;
  /** Changes what the object says of itself while it waits to be deleted (namespaces). */
  readonly beforeDelete?: (object: KubeObject) => void;
}

/** Writes to one part of an object. */
export interface PartStrategy {
  /** The stored spec with this part of it as `object` has it. Both are left alone. */
  readonly specOf: (object: KubeObject, old: KubeObject) => unknown;
  readonly validateUpdate: (object: KubeObject, old: KubeObject, errors: FieldErrors) => void;
}

export interface ResourceDefinition {
  /** Empty for the core group. */
  readonly group: string;
  readonly version: string;
  readonly plural: string;
  readonly singular: string;
  readonly kind: string;
  readonly namespaced: boolean;
  readonly shortNames: readonly string[];
  readonly categories: readonly string[];
  readonly columns: readonly Column[];
  /** Has a `status` subresource; then writes to the object itself leave status alone. */
  readonly hasStatus: boolean;
  /** Sets metadata.generation and bumps it when spec changes. */
  readonly hasGeneration: boolean;
  /** A PUT of an object that does not exist creates it (`AllowCreateOnUpdate`). */
  readonly createOnUpdate: boolean;
  /** A DELETE answers with the object instead of a Status. */
  readonly returnsDeleted: boolean;
  /** Field selectors besides metadata.name and metadata.namespace. */
  readonly selectable: Readonly<Record<string, (object: KubeObject) => string>>;
  /** Further subresources, for discovery: name, kind, verbs. */
  readonly subresources: readonly SubresourceDefinition[];
  readonly strategy: Strategy;
}

export interface SubresourceDefinition {
  readonly name: string;
  readonly kind: string;
  readonly group?: string;
  readonly version?: string;
  readonly verbs: readonly string[];
}

type Optional =
  | "group"
  | "version"
  | "singular"
  | "namespaced"
  | "shortNames"
  | "categories"
  | "columns"
  | "hasStatus"
  | "hasGeneration"
  | "createOnUpdate"
  | "returnsDeleted"
  | "selectable"
  | "subresources"
  | "strategy";

/** A definition with the usual answers filled in: core/v1, namespaced, no status, only NAME and AGE columns. */
export function defineResource(
  given: Omit<ResourceDefinition, Optional> & Partial<Pick<ResourceDefinition, Optional>>,
): ResourceDefinition {
  return {
    group: "",
    version: "v1",
    singular: given.kind.toLowerCase(),
    namespaced: true,
    shortNames: [],
    categories: [],
    columns: [],
    hasStatus: false,
    hasGeneration: false,
    createOnUpdate: false,
    returnsDeleted: false,
    selectable: {},
    subresources: [],
    strategy: {},
    ...given,
  };
}

export function apiVersionOf(definition: { group: string; version: string }): string {
  return definition.group === "" ? definition.version : `${definition.group}/${definition.version}`;
}

/** Every field that an object of the kind can be selected by, with its value. */
export function selectableFields(
  definition: ResourceDefinition,
  object: KubeObject,
): Record<string, string> {
  const fields: Record<string, string> = { "metadata.name": object.metadata.name ?? "" };
  if (definition.namespaced) fields["metadata.namespace"] = object.metadata.namespace ?? "";
  for (const [field, read] of Object.entries(definition.selectable)) fields[field] = read(object);
  return fields;
}

export function selectableNames(definition: ResourceDefinition): Set<string> {
  return new Set(["metadata.name", "metadata.namespace", ...Object.keys(definition.selectable)]);
}
