import type { OwnerReference } from "kubernetes-types/meta/v1.js";
import { ApiError } from "../api/api-error.ts";
import { clone, type KubeObject } from "../api/object.ts";
import {
  apiVersionOf,
  type DeleteOptions,
  type ResourceDefinition,
} from "../resources/definition.ts";
import { systemCall } from "../rest/call.ts";
import { deleteObject } from "../rest/delete.ts";
import { updateObject } from "../rest/update.ts";
import type { StoreEvent } from "../storage/object-store.ts";
import { type Controller, type ControllerParts, Lifetime } from "./controller.ts";
import { KeyQueue } from "./key-queue.ts";

interface Place {
  readonly definition: ResourceDefinition;
  readonly key: string;
}

/**
 * Deletes what has lost all its owners (background), deletes dependents before an owner goes (foreground), or sets them
 * free (orphan). Keys of the queue are uids.
 */
export class GarbageCollector implements Controller {
  readonly #parts: ControllerParts;
  readonly #lifetime = new Lifetime();
  readonly #queue: KeyQueue;
  readonly #call = systemCall("system:garbage-collector");
  readonly #places = new Map<string, Place>();
  /** Uids of the objects that name an owner, by the owner's uid. */
  readonly #dependents = new Map<string, Set<string>>();
  readonly #kinds: ReadonlySet<string>;

  constructor(parts: ControllerParts) {
    this.#parts = parts;
    this.#queue = new KeyQueue("garbage-collector", parts.logger, (uid) => this.#reconcile(uid));
    this.#kinds = new Set(
      parts.storage.definitions.map((item) => `${apiVersionOf(item)}/${item.kind}`),
    );
  }

  start(): void {
    for (const definition of this.#parts.storage.definitions) {
      if (definition.group === "" && definition.plural === "events") continue;
      const store = this.#parts.storage.store(definition);
      for (const object of store.values()) this.#added(definition, object);
      this.#lifetime.add(store.subscribe((event) => this.#onEvent(definition, event)));
    }
  }

  flush(): void {
    this.#queue.flush();
  }

  stop(): void {
    this.#lifetime.end();
    this.#queue.stop();
  }

  #onEvent(definition: ResourceDefinition, event: StoreEvent): void {
    const uid = event.object.metadata.uid ?? "";
    if (event.previous) this.#unlink(uid, event.previous.metadata.ownerReferences);
    if (event.type === "DELETED") {
      this.#places.delete(uid);
      for (const dependent of this.#dependents.get(uid) ?? []) this.#queue.add(dependent);
      for (const owner of event.object.metadata.ownerReferences ?? []) this.#queue.add(owner.uid);
      return;
    }
    this.#added(definition, event.object);
  }

  #added(definition: ResourceDefinition, object: KubeObject): void {
    const { uid = "", namespace, name = "", ownerReferences, deletionTimestamp } = object.metadata;
    this.#places.set(uid, { definition, key: namespace ? `${namespace}/${name}` : name });
    for (const owner of ownerReferences ?? []) {
      const set = this.#dependents.get(owner.uid) ?? new Set<string>();
      set.add(uid);
      this.#dependents.set(owner.uid, set);
    }
    if (ownerReferences?.length || deletionTimestamp) this.#queue.add(uid);
  }

  #unlink(uid: string, owners: readonly OwnerReference[] | undefined): void {
    for (const owner of owners ?? []) {
      const set = this.#dependents.get(owner.uid);
      set?.delete(uid);
      if (set?.size === 0) this.#dependents.delete(owner.uid);
    }
  }

  #object(uid: string): (Place & { object: KubeObject }) | undefined {
    const place = this.#places.get(uid);
    const object = place && this.#parts.storage.store(place.definition).get(place.key);
    return place && object?.metadata.uid === uid ? { ...place, object } : undefined;
  }

  #reconcile(uid: string): void {
    const found = this.#object(uid);
    if (!found) return;
    const { metadata } = found.object;
    if (metadata.deletionTimestamp) {
      const finalizers = metadata.finalizers ?? [];
      if (finalizers.includes("orphan")) this.#orphan(uid, found.definition, found.object);
      else if (finalizers.includes("foregroundDeletion")) {
        this.#foreground(uid, found.definition, found.object);
      }
      return;
    }
    this.#checkOwners(found.definition, found.object);
  }

  /** An owner of a kind that is not served here cannot be looked up, so it counts as present. */
  #isPresent(owner: OwnerReference): boolean {
    return !this.#kinds.has(`${owner.apiVersion}/${owner.kind}`) || this.#places.has(owner.uid);
  }

  #checkOwners(definition: ResourceDefinition, object: KubeObject): void {
    const owners = object.metadata.ownerReferences ?? [];
    const present = owners.filter((owner) => this.#isPresent(owner));
    if (owners.length === 0 || present.length === owners.length) return;
    if (present.length === 0) {
      this.#delete(definition, object, { propagationPolicy: "Background" });
      return;
    }
    this.#setOwners(definition, object, present);
  }

  #orphan(uid: string, definition: ResourceDefinition, owner: KubeObject): void {
    for (const dependent of this.#dependentsOf(uid)) {
      const others = (dependent.object.metadata.ownerReferences ?? []).filter(
        (item) => item.uid !== uid,
      );
      this.#setOwners(dependent.definition, dependent.object, others);
    }
    this.#dropFinalizer(definition, owner, "orphan");
  }

  #foreground(uid: string, definition: ResourceDefinition, owner: KubeObject): void {
    let blocking = 0;
    for (const dependent of this.#dependentsOf(uid)) {
      const { metadata } = dependent.object;
      const reference = (metadata.ownerReferences ?? []).find((item) => item.uid === uid);
      if (reference?.blockOwnerDeletion) blocking += 1;
      if (!metadata.deletionTimestamp) {
        const owns = this.#dependents.has(metadata.uid ?? "");
        const propagationPolicy = owns ? "Foreground" : "Background";
        this.#delete(dependent.definition, dependent.object, { propagationPolicy });
      }
    }
    const left =
      blocking > 0 &&
      this.#dependentsOf(uid).some(({ object }) =>
        (object.metadata.ownerReferences ?? []).some(
          (item) => item.uid === uid && item.blockOwnerDeletion,
        ),
      );
    if (!left) this.#dropFinalizer(definition, owner, "foregroundDeletion");
  }

  #dependentsOf(uid: string): (Place & { object: KubeObject })[] {
    return [...(this.#dependents.get(uid) ?? [])]
      .map((dependent) => this.#object(dependent))
      .filter((found) => found !== undefined);
  }

  #setOwners(
    definition: ResourceDefinition,
    object: KubeObject,
    owners: readonly OwnerReference[],
  ): void {
    this.#update(definition, object, (next) => {
      if (owners.length > 0) next.metadata.ownerReferences = clone([...owners]);
      else delete next.metadata.ownerReferences;
    });
  }

  #dropFinalizer(definition: ResourceDefinition, object: KubeObject, finalizer: string): void {
    this.#update(definition, object, (next) => {
      next.metadata.finalizers = (next.metadata.finalizers ?? []).filter(
        (item) => item !== finalizer,
      );
    });
  }

  #update(
    definition: ResourceDefinition,
    object: KubeObject,
    change: (next: KubeObject) => void,
  ): void {
    const target = { definition, namespace: object.metadata.namespace };
    const apply = (current: KubeObject): KubeObject => {
      const next = clone(current);
      change(next);
      return next;
    };
    updateObject(this.#parts.storage, target, object.metadata.name ?? "", apply, this.#call);
  }

  #delete(definition: ResourceDefinition, object: KubeObject, options: DeleteOptions): void {
    const { namespace, name = "", uid = "" } = object.metadata;
    const withUid = { ...options, preconditions: { uid } };
    try {
      deleteObject(this.#parts.storage, { definition, namespace }, name, withUid, this.#call);
    } catch (error) {
      if (!(error instanceof ApiError) || (error.code !== 404 && error.code !== 409)) throw error;
    }
  }
}
