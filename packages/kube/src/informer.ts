// A list+watch loop with an explicit state (reference: client-go tools/cache/reflector.go).
//
//   idle ──run()──▶ listing ──ok──▶ watching ──ended by the server──▶ watching (from the last resourceVersion)
//                     ▲  │             │
//                     │  │ error       ├── 410 ──▶ listing
//                     │  ▼             └── any other end ──▶ waiting ──▶ watching
//                     └─ waiting
//   any state ──signal──▶ stopped
//
// No error ends the loop; only its signal does. Waits grow with each failure and are forgotten once the server tells
// something again: a list, or an event of a watch. A 410 says only that a list is needed, as after every restart of an
// API server; its waits, which grow too, are counted apart, and only an event ends them.

import { Backoff, type BackoffOptions } from "./backoff.ts";
import type { KubeClient, KubeObject } from "./client.ts";
import { pause } from "./deadline.ts";
import { isKubeError, KubeError } from "./errors.ts";
import { type ListSelector, listAll } from "./list-all.ts";
import { type Change, ObjectStore } from "./object-store.ts";
import { readWatch, type WatchEnd } from "./watch-session.ts";

/** Where an informer stands. Times are those of its `now`. */
export type InformerState =
  | { phase: "idle" }
  | { phase: "listing"; since: number }
  | { phase: "watching"; since: number; resourceVersion: string }
  | { phase: "waiting"; since: number; untilMs: number; error: KubeError }
  | { phase: "stopped" };

/** Told one at a time, in the order in which things happened. A handler must not throw; if it does, `problem` hears. */
export interface InformerHandler<T> {
  added?(object: T): void;
  changed?(object: T, old: T): void;
  removed?(object: T): void;
}

/** What an informer tells metrics and logs. All optional. */
export interface InformerHooks {
  state?(state: InformerState): void;
  listed?(count: number, milliseconds: number): void;
  /** A watch ended and another begins; `reason` is a word for a metric's label. */
  restarted?(reason: WatchEnd["reason"]): void;
  /** The server no longer has the version we stood at: a full list follows. */
  expired?(): void;
  /** Something failed: a request (the informer backs off and goes on) or a handler. */
  problem?(error: Error): void;
}

/** Every wait of an informer. */
export interface InformerTiming {
  /** `timeoutSeconds` of a watch is a random number in this range; default 300 to 600. */
  watchSeconds: readonly [number, number];
  /** The watch is cut this long after the server should have ended it; default 10 s. */
  graceMs: number;
  /** Longer silence than this cuts the watch; default 90 s, for bookmarks come each minute. */
  silenceMs: number;
  backoff: BackoffOptions;
  now: () => number;
  random: () => number;
}

/** Which collection is kept, and how. */
export interface InformerOptions<T extends KubeObject> extends ListSelector {
  client: KubeClient;
  /** Of the collection: `paths.pods.collection()`. */
  path: string;
  /**
   * First list from the newest state instead of the server's cache. Needed where absence decides something (what runs
   * remotely and has no pod), because a cache may be stale.
   */
  consistentStart?: boolean;
  /** Applied to each object before it is kept; by default managedFields are dropped. */
  transform?: (object: T) => T;
  hooks?: InformerHooks;
  timing?: Partial<InformerTiming>;
}

/** Back-off as in Kubernetes' own reflectors (client-go `reflector.go`). */
export const defaultInformerTiming: InformerTiming = {
  watchSeconds: [300, 600],
  graceMs: 10_000,
  silenceMs: 90_000,
  backoff: { firstMs: 800, capMs: 30_000, jitter: 1, resetAfterMs: 120_000 },
  now: Date.now,
  random: Math.random,
};

/** A live copy of one collection. Make it, add handlers, then `run` it for as long as it is needed. */
export class Informer<T extends KubeObject> {
  /** Resolves when the first complete list has been told to the handlers. Never rejects. */
  readonly synced: Promise<void>;
  readonly #options: InformerOptions<T>;
  readonly #timing: InformerTiming;
  readonly #store = new ObjectStore<T>();
  readonly #handlers = new Set<InformerHandler<T>>();
  readonly #backoff: Backoff;
  readonly #expiries: Backoff;
  #state: InformerState = { phase: "idle" };
  #markSynced: () => void = () => undefined;
  #hasSynced = false;
  /** Where we stand; undefined before the first list and after the server forgot it. */
  #resourceVersion: string | undefined;
  #listFrom: string;

  constructor(options: InformerOptions<T>) {
    this.#options = options;
    this.#timing = { ...defaultInformerTiming, ...options.timing };
    this.#backoff = new Backoff(this.#timing.backoff, this.#timing.random);
    this.#expiries = new Backoff(this.#timing.backoff, this.#timing.random);
    this.#listFrom = options.consistentStart === true ? "" : "0";
    this.synced = new Promise((resolve) => {
      this.#markSynced = resolve;
    });
  }

  state(): InformerState {
    return this.#state;
  }

  /** Whether the first list is complete: before that, absence means nothing. */
  get hasSynced(): boolean {
    return this.#hasSynced;
  }

  get(uid: string): T | undefined {
    return this.#store.get(uid);
  }

  /** `namespace` is `undefined` for cluster-wide objects. */
  byName(namespace: string | undefined, name: string): T | undefined {
    return this.#store.byName(namespace, name);
  }

  list(): T[] {
    return this.#store.list();
  }

  get size(): number {
    return this.#store.size;
  }

  /** Adds a handler; it is told at once what is known already. The answer takes it off again. */
  on(handler: InformerHandler<T>): () => void {
    this.#handlers.add(handler);
    for (const object of this.#store.list()) this.#tell(handler, { type: "added", object });
    return () => this.#handlers.delete(handler);
  }

  /** Lists and watches until the signal fires; then resolves. Never rejects. To be called once. */
  async run(signal: AbortSignal): Promise<void> {
    if (this.#state.phase !== "idle") throw new Error("an informer runs once; make another");
    while (!signal.aborted) {
      try {
        if (this.#resourceVersion === undefined) await this.#list(signal);
        else await this.#watch(this.#resourceVersion, signal);
      } catch (error) {
        if (!signal.aborted) await this.#failed(KubeError.from(error), signal);
      }
    }
    this.#enter({ phase: "stopped" });
  }

  async #list(signal: AbortSignal): Promise<void> {
    const started = this.#timing.now();
    this.#enter({ phase: "listing", since: started });
    const { client, path, fieldSelector, labelSelector } = this.#options;
    const selector = {
      ...(fieldSelector === undefined ? {} : { fieldSelector }),
      ...(labelSelector === undefined ? {} : { labelSelector }),
    };
    const list = await listAll<T>(client, path, selector, this.#listFrom, {
      signal,
      timeoutMs: 60_000,
    });
    this.#backoff.reset();
    this.#options.hooks?.listed?.(list.items.length, this.#timing.now() - started);
    this.#standAt(list.resourceVersion);
    this.#apply(this.#store.replace(list.items.map((object) => this.#transform(object))));
    this.#hasSynced = true;
    this.#markSynced();
  }

  async #watch(resourceVersion: string, signal: AbortSignal): Promise<void> {
    const since = this.#timing.now();
    this.#enter({ phase: "watching", since, resourceVersion });
    const end = await readWatch<T>(
      this.#options,
      this.#timing,
      resourceVersion,
      signal,
      (event) => {
        this.#backoff.reset();
        this.#expiries.reset();
        const object = this.#transform(event.object);
        if (event.type === "DELETED") this.#apply(this.#store.remove(object));
        else if (event.type !== "BOOKMARK") this.#apply(this.#store.put(object));
        const seen = event.object.metadata?.resourceVersion;
        if (seen !== undefined && seen !== "") this.#standAt(seen);
      },
    );
    if (signal.aborted) return;
    this.#options.hooks?.restarted?.(end.reason);
    if (end.reason === "failed") throw end.error;
    // A server that ends watches at once would otherwise be asked in a tight loop.
    if (end.events === 0 && this.#timing.now() - since < 1000)
      throw new KubeError("unreachable", `WATCH ${this.#options.path}: ended as soon as it began`);
  }

  async #failed(error: KubeError, signal: AbortSignal): Promise<void> {
    const { hooks } = this.#options;
    const now = this.#timing.now();
    const isGone = error.code === "gone";
    let wait = Math.max(
      (isGone ? this.#expiries : this.#backoff).next(now),
      error.retryAfterMs ?? 0,
    );
    if (isGone) {
      hooks?.expired?.();
      // First a list not older than what we saw; if the server has forgotten even that, the newest.
      this.#listFrom = this.#resourceVersion ?? "";
      // The usual 410 needs no pause, but a server that answers every watch with one must not be asked in a loop.
      if (this.#resourceVersion !== undefined && this.#expiries.failures === 1) wait = 0;
      this.#resourceVersion = undefined;
    } else if (isTooLargeVersion(error) && this.#resourceVersion === undefined) {
      this.#listFrom = "";
    }
    if (wait === 0) return;
    hooks?.problem?.(error);
    this.#enter({ phase: "waiting", since: now, untilMs: now + wait, error });
    await pause(wait, signal);
  }

  #standAt(resourceVersion: string): void {
    this.#resourceVersion = resourceVersion;
    this.#listFrom = resourceVersion;
    if (this.#state.phase === "watching") this.#state = { ...this.#state, resourceVersion };
  }

  #enter(state: InformerState): void {
    this.#state = state;
    this.#options.hooks?.state?.(state);
  }

  #transform(object: T): T {
    const { transform } = this.#options;
    if (transform !== undefined) return transform(object);
    // Larger than the rest of many objects, and nobody here reads it.
    if (object.metadata !== undefined) delete object.metadata.managedFields;
    return object;
  }

  #apply(changes: readonly Change<T>[]): void {
    for (const change of changes) for (const handler of this.#handlers) this.#tell(handler, change);
  }

  #tell(handler: InformerHandler<T>, change: Change<T>): void {
    try {
      if (change.type === "added") handler.added?.(change.object);
      else if (change.type === "changed") handler.changed?.(change.object, change.old);
      else handler.removed?.(change.object);
    } catch (error) {
      this.#options.hooks?.problem?.(error instanceof Error ? error : new Error(String(error)));
    }
  }
}

/** The server's cache has not caught up with the version that we have seen. */
function isTooLargeVersion(error: unknown): boolean {
  return (
    isKubeError(error, "timeout") &&
    error.status?.details?.causes?.some((cause) => cause.reason === "ResourceVersionTooLarge") ===
      true
  );
}
