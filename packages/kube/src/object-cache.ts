import type { KubeClient, KubeObject } from "./client.ts";
import {
  Informer,
  type InformerHooks,
  type InformerState,
  type InformerTiming,
} from "./informer.ts";

/** Which objects are watched, and for how long. */
export interface ObjectCacheOptions {
  client: KubeClient;
  /** Path of the collection of a namespace: `paths.secrets.collection`. */
  collection: (namespace: string) => string;
  /** How long an object that nobody holds is still watched; default 30 s. Spares a watch per restarting pod. */
  lingerMs?: number;
  hooks?: InformerHooks;
  timing?: Partial<InformerTiming>;
}

/** One watched object, for as long as its holder needs it. */
export interface HeldObject<T> {
  /** Resolves when it is known whether the object exists. Waits as long as the server refuses or is away. */
  readonly synced: Promise<void>;
  /** Whether `get` means something yet. */
  readonly hasSynced: boolean;
  /** The object now; undefined when it does not exist (or is not known yet). */
  get(): T | undefined;
  /** Why it is not known: `waiting` carries the server's refusal, for instance `forbidden`. */
  state(): InformerState;
  release(): void;
}

/** Told when a held object appears, changes or vanishes. */
export type ObjectListener<T> = (object: T | undefined) => void;

interface Entry<T extends KubeObject> {
  informer: Informer<T>;
  stop: AbortController;
  run: Promise<void>;
  holders: number;
  linger: NodeJS.Timeout | undefined;
}

/**
 * Live copies of single named objects (ConfigMaps, Secrets), each by its own watch with `metadata.name=X`: the only
 * kind that the node authorizer lets a node have, and no cluster's secrets in our memory. Holders of the same object
 * share one watch; it ends some time after the last has let go.
 */
export class ObjectCache<T extends KubeObject> implements AsyncDisposable {
  readonly #options: ObjectCacheOptions;
  readonly #entries = new Map<string, Entry<T>>();
  readonly #ending = new Set<Promise<void>>();

  constructor(options: ObjectCacheOptions) {
    this.#options = options;
  }

  /** Watches the object from now on. Every `hold` needs its `release`. */
  hold(namespace: string, name: string, listener?: ObjectListener<T>): HeldObject<T> {
    const key = `${namespace}/${name}`;
    const entry = this.#entries.get(key) ?? this.#open(key, namespace, name);
    clearTimeout(entry.linger);
    entry.holders += 1;
    const { informer } = entry;
    const off =
      listener === undefined
        ? undefined
        : informer.on({ added: listener, changed: listener, removed: () => listener(undefined) });
    let held = true;
    return {
      synced: informer.synced,
      get hasSynced() {
        return informer.hasSynced;
      },
      get: () => informer.byName(namespace, name),
      state: () => informer.state(),
      release: () => {
        if (!held) return;
        held = false;
        off?.();
        this.#release(key, entry);
      },
    };
  }

  /** Objects being watched. */
  get size(): number {
    return this.#entries.size;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const [key, entry] of this.#entries) this.#end(key, entry);
    await Promise.all(this.#ending);
  }

  #open(key: string, namespace: string, name: string): Entry<T> {
    const { client, collection, hooks, timing } = this.#options;
    const informer = new Informer<T>({
      client,
      path: collection(namespace),
      fieldSelector: `metadata.name=${name}`,
      ...(hooks === undefined ? {} : { hooks }),
      ...(timing === undefined ? {} : { timing }),
    });
    const stop = new AbortController();
    const entry: Entry<T> = {
      informer,
      stop,
      run: informer.run(stop.signal),
      holders: 0,
      linger: undefined,
    };
    this.#entries.set(key, entry);
    return entry;
  }

  #release(key: string, entry: Entry<T>): void {
    entry.holders -= 1;
    if (entry.holders > 0) return;
    entry.linger = setTimeout(() => this.#end(key, entry), this.#options.lingerMs ?? 30_000);
    entry.linger.unref();
  }

  #end(key: string, entry: Entry<T>): void {
    clearTimeout(entry.linger);
    this.#entries.delete(key);
    entry.stop.abort();
    this.#ending.add(entry.run);
    void entry.run.finally(() => this.#ending.delete(entry.run));
  }
}
