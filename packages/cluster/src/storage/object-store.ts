import type { KubeObject } from "../api/object.ts";

/** The one counter behind every resourceVersion of the cluster. */
export class VersionCounter {
  #current = 1;

  get current(): number {
    return this.#current;
  }

  next(): number {
    this.#current += 1;
    return this.#current;
  }
}

export interface StoreEvent {
  readonly type: "ADDED" | "MODIFIED" | "DELETED";
  /** The resourceVersion of the change; the object of a DELETED carries it too. */
  readonly version: number;
  readonly key: string;
  readonly object: KubeObject;
  /** The object before the change; absent for ADDED. */
  readonly previous?: KubeObject;
}

/** Called inside the write: it must not throw and must not write itself (queue the work instead). */
export type StoreListener = (event: StoreEvent) => void;

/**
 * All objects of one type, and the last `historySize` changes for watches that come back. Everything is synchronous: a
 * caller that reads, decides and writes without awaiting has a transaction.
 */
export class ObjectStore {
  readonly #objects = new Map<string, KubeObject>();
  readonly #listeners = new Set<StoreListener>();
  readonly #versions: VersionCounter;
  readonly #historySize: number;
  #history: StoreEvent[] = [];
  /** Every change after this version is in the history. */
  #historyFloor: number;
  #sortedKeys: string[] | undefined;

  constructor(versions: VersionCounter, historySize: number) {
    this.#versions = versions;
    this.#historySize = historySize;
    this.#historyFloor = versions.current;
  }

  get size(): number {
    return this.#objects.size;
  }

  get(key: string): KubeObject | undefined {
    return this.#objects.get(key);
  }

  /** All objects in the order of their keys (as etcd gives them). */
  list(): KubeObject[] {
    this.#sortedKeys ??= [...this.#objects.keys()].sort();
    return this.#sortedKeys.map((key) => this.#objects.get(key) as KubeObject);
  }

  /** Objects in no order; cheaper than list(). */
  values(): Iterable<KubeObject> {
    return this.#objects.values();
  }

  /** Stores the object, stamped with a new resourceVersion. The object must be the caller's own copy. */
  put(key: string, object: KubeObject): KubeObject {
    const previous = this.#objects.get(key);
    const version = this.#versions.next();
    object.metadata.resourceVersion = String(version);
    this.#objects.set(key, object);
    if (!previous) this.#sortedKeys = undefined;
    this.#publish(
      previous
        ? { type: "MODIFIED", version, key, object, previous }
        : { type: "ADDED", version, key, object },
    );
    return object;
  }

  /** Removes the object; returns its last state stamped with the version of the removal. */
  remove(key: string): KubeObject | undefined {
    const previous = this.#objects.get(key);
    if (!previous) return undefined;
    this.#objects.delete(key);
    this.#sortedKeys = undefined;
    const version = this.#versions.next();
    const object = {
      ...previous,
      metadata: { ...previous.metadata, resourceVersion: String(version) },
    };
    this.#publish({ type: "DELETED", version, key, object, previous });
    return object;
  }

  /** The changes after `version`, or undefined when some of them are forgotten (410 Gone). */
  since(version: number): readonly StoreEvent[] | undefined {
    if (version < this.#historyFloor) return undefined;
    let low = 0;
    let high = this.#history.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#history[middle]?.version ?? 0) > version) high = middle;
      else low = middle + 1;
    }
    return this.#history.slice(low);
  }

  /** Forgets the history, as a compaction does. */
  compact(): void {
    this.#history = [];
    this.#historyFloor = this.#versions.current;
  }

  subscribe(listener: StoreListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  #publish(event: StoreEvent): void {
    this.#history.push(event);
    if (this.#history.length > this.#historySize * 2) {
      const dropped = this.#history.length - this.#historySize;
      this.#historyFloor = this.#history[dropped - 1]?.version ?? this.#historyFloor;
      this.#history = this.#history.slice(dropped);
    }
    for (const listener of this.#listeners) listener(event);
  }
}
