import type { KubeObject } from "./client.ts";

/** One difference between what was known and what is. */
export type Change<T> =
  | { type: "added"; object: T }
  | { type: "changed"; object: T; old: T }
  | { type: "removed"; object: T };

/**
 * Objects keyed by UID with an index by namespace and name. Every mutation answers with the changes that it made, in
 * the order in which they must be told: a name that went to a new UID is a removal, then an addition.
 */
export class ObjectStore<T extends KubeObject> {
  readonly #byUid = new Map<string, T>();
  readonly #uidByName = new Map<string, string>();

  get(uid: string): T | undefined {
    return this.#byUid.get(uid);
  }

  /** `namespace` is `undefined` for cluster-wide objects. */
  byName(namespace: string | undefined, name: string): T | undefined {
    const uid = this.#uidByName.get(nameKey(namespace, name));
    return uid === undefined ? undefined : this.#byUid.get(uid);
  }

  list(): T[] {
    return [...this.#byUid.values()];
  }

  get size(): number {
    return this.#byUid.size;
  }

  /** Puts one object, as a watch tells it. The same resourceVersion again is no change. */
  put(object: T): Change<T>[] {
    const uid = uidOf(object);
    const old = this.#byUid.get(uid);
    if (old !== undefined) {
      const { resourceVersion } = object.metadata ?? {};
      const same =
        resourceVersion !== undefined && old.metadata?.resourceVersion === resourceVersion;
      this.#byUid.set(uid, object);
      return same ? [] : [{ type: "changed", object, old }];
    }
    const changes: Change<T>[] = [];
    const key = keyOf(object);
    const predecessor = this.#uidByName.get(key);
    if (predecessor !== undefined) changes.push(...this.removeUid(predecessor));
    this.#byUid.set(uid, object);
    this.#uidByName.set(key, uid);
    changes.push({ type: "added", object });
    return changes;
  }

  /** Takes one object out; the change carries its last state. The DELETED of an old UID leaves its successor alone. */
  remove(object: T): Change<T>[] {
    const uid = uidOf(object);
    if (this.#byUid.has(uid)) this.#byUid.set(uid, object);
    return this.removeUid(uid);
  }

  removeUid(uid: string): Change<T>[] {
    const object = this.#byUid.get(uid);
    if (object === undefined) return [];
    this.#byUid.delete(uid);
    const key = keyOf(object);
    if (this.#uidByName.get(key) === uid) this.#uidByName.delete(key);
    return [{ type: "removed", object }];
  }

  /** Puts a complete list in place of all that is known. What is not in it is removed, and told first. */
  replace(objects: readonly T[]): Change<T>[] {
    const present = new Set(objects.map(uidOf));
    const gone = [...this.#byUid.keys()].filter((uid) => !present.has(uid));
    return [
      ...gone.flatMap((uid) => this.removeUid(uid)),
      ...objects.flatMap((object) => this.put(object)),
    ];
  }
}

/** The store's key. Objects of old fakes and of aggregated APIs may lack a UID: the name stands in for it. */
export function uidOf(object: KubeObject): string {
  return object.metadata?.uid ?? `name:${keyOf(object)}`;
}

function keyOf(object: KubeObject): string {
  return nameKey(object.metadata?.namespace, object.metadata?.name ?? "");
}

function nameKey(namespace: string | undefined, name: string): string {
  return `${namespace ?? ""}/${name}`;
}
