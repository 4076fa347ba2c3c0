import { badRequest, conflict, modifiedConflict, notFound } from "../api/api-error.ts";
import { FieldErrors } from "../api/field-errors.ts";
import { clone, type KubeObject, objectKey, sameJson } from "../api/object.ts";
import type { PartStrategy, ResourceDefinition } from "../resources/definition.ts";
import type { Storage } from "../storage/storage.ts";
import { validateMetadata } from "../validation/metadata.ts";
import { admissionContext, type Call, type Target } from "./call.ts";
import { createObject, takeRequestNamespace } from "./create.ts";

/**
 * What of the object a write may change: the object without its status; the status (and metadata) alone; or one of the
 * strategy's `parts` of the spec, by name.
 */
export type Part = "object" | "status" | (string & {});

export interface UpdateResult {
  object: KubeObject;
  created: boolean;
}

/**
 * Replaces an object by what `change` makes of it. `change` gets the stored object, which it must not alter, and returns
 * a new one; optimistic concurrency, immutability, defaulting and validation are the caller's no more.
 */
export function updateObject(
  storage: Storage,
  target: Target,
  name: string,
  change: (current: KubeObject) => KubeObject,
  call: Call,
  part: Part = "object",
): UpdateResult {
  const { definition, namespace } = target;
  const key = objectKey(namespace, name);
  const store = storage.store(definition);
  const current = store.get(key);
  if (!current) throw notFound(definition, name);

  const next = change(current);
  takeRequestNamespace(target, next);
  checkIdentity(definition, current, next);
  keepSystemFields(current, next);
  const strategy = definition.strategy;
  const errors = new FieldErrors();
  if (part === "status") {
    keepAllButStatus(current, next);
    strategy.prepareForStatusUpdate?.(next, current);
    strategy.validateStatusUpdate?.(next, current, errors);
  } else {
    const only = part === "object" ? undefined : strategy.parts?.[part];
    if (only) keepAllBut(only, current, next);
    if (definition.hasStatus) keepField(current, next, "status");
    strategy.defaults?.(next);
    strategy.prepareForUpdate?.(next, current, admissionContext(storage, call));
    validateMetadata(definition, next, errors);
    if (only) only.validateUpdate(next, current, errors);
    else strategy.validateUpdate?.(next, current, errors);
    if (definition.hasGeneration && !sameJson(current.spec, next.spec)) {
      next.metadata.generation = (current.metadata.generation ?? 0) + 1;
    }
  }
  errors.throwIfAny(definition, name);

  if (sameJson(current, next)) return { object: current, created: false };
  if (call.dryRun) return { object: next, created: false };
  if (isReleased(current, next)) {
    store.put(key, next);
    store.remove(key);
    return { object: next, created: false };
  }
  return { object: store.put(key, next), created: false };
}

/** PUT: the whole object as the client gives it. */
export function replaceObject(
  storage: Storage,
  target: Target,
  name: string,
  object: KubeObject,
  call: Call,
  part: Part = "object",
): UpdateResult {
  if (!object.metadata.name) object.metadata.name = name;
  const exists = storage.store(target.definition).get(objectKey(target.namespace, name));
  if (!exists && part === "object" && target.definition.createOnUpdate) {
    if (object.metadata.resourceVersion) throw notFound(target.definition, name);
    return { object: createObject(storage, target, object, call), created: true };
  }
  return updateObject(storage, target, name, () => object, call, part);
}

function checkIdentity(
  definition: ResourceDefinition,
  current: KubeObject,
  next: KubeObject,
): void {
  const name = current.metadata.name ?? "";
  if (next.metadata.name !== name) {
    throw badRequest(
      `the name of the object (${next.metadata.name ?? ""}) does not match the name on the URL (${name})`,
    );
  }
  const { uid, resourceVersion } = next.metadata;
  if (uid && uid !== current.metadata.uid) {
    throw conflict(
      definition,
      name,
      `Precondition failed: UID in precondition: ${uid}, UID in object meta: ${current.metadata.uid}`,
    );
  }
  if (
    resourceVersion &&
    resourceVersion !== "0" &&
    resourceVersion !== current.metadata.resourceVersion
  ) {
    throw modifiedConflict(definition, name);
  }
}

const systemFields = [
  "uid",
  "creationTimestamp",
  "deletionTimestamp",
  "deletionGracePeriodSeconds",
  "generation",
  "generateName",
  "resourceVersion",
] as const;

function keepSystemFields(current: KubeObject, next: KubeObject): void {
  for (const field of systemFields) {
    const value = current.metadata[field];
    if (value === undefined) delete next.metadata[field];
    else Object.assign(next.metadata, { [field]: value });
  }
  delete next.metadata.selfLink;
}

function keepField(current: KubeObject, next: KubeObject, field: string): void {
  if (current[field] === undefined) delete next[field];
  else next[field] = current[field];
}

/** A status write may also touch labels and annotations, but no other part of the object. */
function keepAllButStatus(current: KubeObject, next: KubeObject): void {
  for (const field of new Set([...Object.keys(current), ...Object.keys(next)])) {
    if (field !== "status" && field !== "metadata") keepField(current, next, field);
  }
  if (current.metadata.ownerReferences) {
    next.metadata.ownerReferences = clone(current.metadata.ownerReferences);
  } else {
    delete next.metadata.ownerReferences;
  }
}

/** Such a write changes its part of the spec and nothing else, metadata neither. */
function keepAllBut(only: PartStrategy, current: KubeObject, next: KubeObject): void {
  const spec = only.specOf(next, current);
  for (const field of Object.keys(next)) delete next[field];
  Object.assign(next, clone(current), { spec });
}

/** The last finalizer of an object that waits to be deleted has gone. */
function isReleased(current: KubeObject, next: KubeObject): boolean {
  return (
    current.metadata.deletionTimestamp !== undefined &&
    (current.metadata.deletionGracePeriodSeconds ?? 0) === 0 &&
    (current.metadata.finalizers?.length ?? 0) > 0 &&
    (next.metadata.finalizers?.length ?? 0) === 0 &&
    !hasSpecFinalizers(next)
  );
}

/** Namespaces keep their finalizers in spec; `finalize` is what releases them. */
function hasSpecFinalizers(object: KubeObject): boolean {
  const spec = object.spec as { finalizers?: unknown } | undefined;
  return (
    object.kind === "Namespace" && Array.isArray(spec?.finalizers) && spec.finalizers.length > 0
  );
}
