import { conflict, notFound } from "../api/api-error.ts";
import { clone, type KubeObject, objectKey } from "../api/object.ts";
import type { DeleteOptions, ResourceDefinition } from "../resources/definition.ts";
import { apiTime, type Storage } from "../storage/storage.ts";
import type { Call, Target } from "./call.ts";

export interface DeleteResult {
  /** The object as it is now, or as it was when it went. */
  object: KubeObject;
  removed: boolean;
}

const orphanFinalizer = "orphan";
const foregroundFinalizer = "foregroundDeletion";

/**
 * Deletes as `k8s.io/apiserver/pkg/registry` does: preconditions; a graceful kind is only marked; a second deletion may
 * only shorten the grace; finalizers hold the object back; grace 0 without finalizers removes it at once.
 */
export function deleteObject(
  storage: Storage,
  target: Target,
  name: string,
  given: DeleteOptions,
  call: Call,
): DeleteResult {
  const { definition, namespace } = target;
  const key = objectKey(namespace, name);
  const store = storage.store(definition);
  const current = store.get(key);
  if (!current) throw notFound(definition, name);
  checkPreconditions(definition, current, given);

  const options = { ...given };
  if (options.gracePeriodSeconds !== undefined && options.gracePeriodSeconds < 0) {
    options.gracePeriodSeconds = 1;
  }
  const next = clone(current);
  definition.strategy.beforeDelete?.(next);
  const grace = decideGrace(definition, current, next, options, storage.chance.now());
  if (grace === "pending") return { object: current, removed: false };

  setGarbageCollectionFinalizers(next, options);
  const held = (next.metadata.finalizers?.length ?? 0) > 0 || hasSpecFinalizers(next);
  if (grace === "immediate") {
    if (held) markDeleting(next, storage.chance.now());
  }
  const removed = !held && (grace === "immediate" || grace.seconds === 0);
  if (call.dryRun) return { object: next, removed };
  if (grace !== "immediate" || held) {
    // The real server also writes the marked object before it removes it: watchers see both steps.
    if (next.metadata.deletionTimestamp !== current.metadata.deletionTimestamp || held) {
      store.put(key, next);
    }
  }
  if (!removed) return { object: next, removed: false };
  const last = store.remove(key) ?? next;
  return { object: last, removed: true };
}

type Grace = "immediate" | "pending" | { seconds: number };

/** `rest.BeforeDelete`; sets the deletion fields of `next`. */
function decideGrace(
  definition: ResourceDefinition,
  current: KubeObject,
  next: KubeObject,
  options: DeleteOptions,
  now: number,
): Grace {
  const gracePeriod = definition.strategy.gracePeriod;
  if (!gracePeriod) return "immediate";
  const { deletionTimestamp, deletionGracePeriodSeconds } = current.metadata;
  if (deletionTimestamp) {
    if (!deletionGracePeriodSeconds) return "immediate";
    const asked = options.gracePeriodSeconds;
    if (asked === undefined || asked >= deletionGracePeriodSeconds) return "pending";
    const started = Date.parse(deletionTimestamp) - deletionGracePeriodSeconds * 1000;
    next.metadata.deletionTimestamp = apiTime(started + asked * 1000);
    next.metadata.deletionGracePeriodSeconds = asked;
    return { seconds: asked };
  }
  const seconds = gracePeriod(current, options);
  next.metadata.deletionTimestamp = apiTime(now + seconds * 1000);
  next.metadata.deletionGracePeriodSeconds = seconds;
  if (next.metadata.generation) next.metadata.generation += 1;
  return { seconds };
}

function markDeleting(object: KubeObject, now: number): void {
  const { metadata } = object;
  if (metadata.deletionTimestamp === undefined) {
    metadata.deletionTimestamp = apiTime(now);
    if (metadata.generation) metadata.generation += 1;
  }
  metadata.deletionGracePeriodSeconds = 0;
}

function checkPreconditions(
  definition: ResourceDefinition,
  current: KubeObject,
  options: DeleteOptions,
): void {
  const { uid, resourceVersion } = options.preconditions ?? {};
  const name = current.metadata.name ?? "";
  if (uid !== undefined && uid !== current.metadata.uid) {
    throw conflict(
      definition,
      name,
      `Precondition failed: UID in precondition: ${uid}, UID in object meta: ${current.metadata.uid}`,
    );
  }
  if (resourceVersion !== undefined && resourceVersion !== current.metadata.resourceVersion) {
    throw conflict(
      definition,
      name,
      `Precondition failed: ResourceVersion in precondition: ${resourceVersion}, ResourceVersion in object meta: ${current.metadata.resourceVersion}`,
    );
  }
}

/** The propagation policy is kept on the object as one of two finalizers, for the garbage collector. */
function setGarbageCollectionFinalizers(object: KubeObject, options: DeleteOptions): void {
  const before = object.metadata.finalizers ?? [];
  const wanted = wantedFinalizer(before, options);
  const after = before.filter((item) => item !== orphanFinalizer && item !== foregroundFinalizer);
  if (wanted) after.push(wanted);
  if (after.length > 0) object.metadata.finalizers = after;
  else delete object.metadata.finalizers;
}

function wantedFinalizer(before: readonly string[], options: DeleteOptions): string | undefined {
  if (options.orphanDependents !== undefined) {
    return options.orphanDependents ? orphanFinalizer : undefined;
  }
  if (options.propagationPolicy === "Orphan") return orphanFinalizer;
  if (options.propagationPolicy === "Foreground") return foregroundFinalizer;
  if (options.propagationPolicy === "Background") return undefined;
  return before.find((item) => item === orphanFinalizer || item === foregroundFinalizer);
}

/** Namespaces keep their finalizers in spec. */
function hasSpecFinalizers(object: KubeObject): boolean {
  const spec = object.spec as { finalizers?: unknown } | undefined;
  return (
    object.kind === "Namespace" && Array.isArray(spec?.finalizers) && spec.finalizers.length > 0
  );
}
