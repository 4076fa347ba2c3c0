import { ApiError, alreadyExists, badRequest, forbidden, notFound } from "../api/api-error.ts";
import { FieldErrors } from "../api/field-errors.ts";
import { type KubeObject, objectKey } from "../api/object.ts";
import type { Storage } from "../storage/storage.ts";
import { validateMetadata } from "../validation/metadata.ts";
import { admissionContext, type Call, type Target } from "./call.ts";

/** Names made from generateName are at most 63 characters (k8s.io/apiserver/pkg/storage/names). */
const maxGeneratedPrefix = 58;

/** Creates the object and returns what is stored. `object` becomes the store's. Throws ApiError. */
export function createObject(
  storage: Storage,
  target: Target,
  object: KubeObject,
  call: Call,
): KubeObject {
  const { definition, namespace } = target;
  takeRequestNamespace(target, object);
  if (object.metadata.resourceVersion) {
    throw badRequest("resourceVersion should not be set on objects to be created");
  }
  fillSystemFields(storage, object);
  const name = object.metadata.name ?? "";
  if (definition.namespaced) requireLiveNamespace(storage, target, name);

  const context = admissionContext(storage, call);
  if (definition.hasGeneration) object.metadata.generation = 1;
  definition.strategy.prepareForCreate?.(object, context);
  definition.strategy.defaults?.(object);
  definition.strategy.admit?.(object, context);
  const errors = new FieldErrors();
  validateMetadata(definition, object, errors);
  definition.strategy.validate?.(object, errors);
  errors.throwIfAny(definition, name);

  const store = storage.store(definition);
  const key = objectKey(namespace, name);
  if (store.get(key)) throw alreadyExists(definition, name);
  return call.dryRun ? object : store.put(key, object);
}

/** The namespace of the URL goes into the object; another one in the object is an error. */
export function takeRequestNamespace(target: Target, object: KubeObject): void {
  const { definition, namespace } = target;
  if (!definition.namespaced) {
    delete object.metadata.namespace;
    return;
  }
  const given = object.metadata.namespace;
  if (given && given !== namespace) {
    throw badRequest(
      "the namespace of the provided object does not match the namespace sent on the request",
    );
  }
  if (namespace !== undefined) object.metadata.namespace = namespace;
}

function fillSystemFields(storage: Storage, object: KubeObject): void {
  const { metadata } = object;
  if (!metadata.name && metadata.generateName) {
    const prefix = metadata.generateName.slice(0, maxGeneratedPrefix);
    metadata.name = `${prefix}${storage.chance.letters(5)}`;
  }
  metadata.uid = storage.chance.uuid();
  metadata.creationTimestamp = storage.timestamp();
  delete metadata.deletionTimestamp;
  delete metadata.deletionGracePeriodSeconds;
  delete metadata.selfLink;
  delete metadata.generation;
}

function requireLiveNamespace(storage: Storage, target: Target, name: string): void {
  const { definition, namespace = "" } = target;
  const found = storage.find("namespaces", undefined, namespace);
  if (!found) throw notFound(storage.must("namespaces"), namespace);
  if (found.metadata.deletionTimestamp) {
    const refusal = forbidden(
      definition,
      name,
      `unable to create new content in namespace ${namespace} because it is being terminated`,
    );
    throw new ApiError(refusal.code, refusal.reason, refusal.message, {
      ...refusal.details,
      causes: [
        {
          reason: "NamespaceTerminating",
          message: `namespace ${namespace} is being terminated`,
          field: "metadata.namespace",
        },
      ],
    });
  }
}
