import { type KubeClient, paths, type WatchEvent } from "@interlink/kube";
import type { Pod } from "kubernetes-types/core/v1.js";

const PODS = paths.pods.collection("default");

/** One change of a pod, as a watch told it. */
export interface PodChange {
  type: "ADDED" | "MODIFIED" | "DELETED";
  object: Pod;
}

type Listener = (change: PodChange) => void;

/**
 * All that a watch has told of the pods of the default namespace since this was made. Waiting for a state by it misses none,
 * however short.
 */
export class PodHistory implements AsyncDisposable {
  readonly #kube: KubeClient;
  readonly #changes = new Map<string, PodChange[]>();
  readonly #listeners = new Set<Listener>();
  readonly #stop = new AbortController();
  readonly #watching: Promise<void>;
  #failure = "";

  private constructor(kube: KubeClient, resourceVersion: string) {
    this.#kube = kube;
    this.#watching = this.#watch(resourceVersion).catch((error: unknown) => {
      if (!this.#stop.signal.aborted) this.#failure = `The watch has failed: ${String(error)}`;
    });
  }

  /** From now on: what is made after this resolves is told from its beginning. */
  static async of(kube: KubeClient): Promise<PodHistory> {
    const { metadata } = await kube.list<Pod>(PODS);
    return new PodHistory(kube, metadata.resourceVersion ?? "");
  }

  /** What happened to the pod of this name so far, the oldest first. */
  of(name: string): readonly PodChange[] {
    return this.#changes.get(name) ?? [];
  }

  /** All states that the pod was seen in, the oldest first. */
  states(name: string): Pod[] {
    return this.of(name).map(({ object }) => object);
  }

  /** The first change from number `from` on, those to come included, that `is` holds of. Default: from the latest on. */
  until(
    name: string,
    is: (change: PodChange) => unknown,
    timeoutMs: number,
    from = Math.max(0, this.of(name).length - 1),
  ): Promise<PodChange> {
    const before = this.of(name).slice(from).find(is);
    if (before !== undefined) return Promise.resolve(before);
    return new Promise((resolve, reject) => {
      const end = (): void => {
        clearTimeout(timer);
        this.#listeners.delete(listener);
      };
      const listener: Listener = (change) => {
        if (change.object.metadata?.name !== name) return;
        try {
          if (!is(change)) return;
          resolve(change);
        } catch (error) {
          reject(error instanceof Error ? error : new Error(String(error)));
        }
        end();
      };
      const timer = setTimeout(() => {
        end();
        const now = JSON.stringify(this.of(name).at(-1)?.object.status);
        reject(
          new Error(`Waited ${timeoutMs / 1000} s in vain. Its status: ${now} ${this.#failure}`),
        );
      }, timeoutMs);
      this.#listeners.add(listener);
    });
  }

  async #watch(from: string): Promise<void> {
    const { signal } = this.#stop;
    let resourceVersion = from;
    // The server ends each watch after a while.
    while (!signal.aborted) {
      for await (const event of this.#kube.watch(PODS, { query: { resourceVersion }, signal })) {
        if (!isChange(event)) throw new Error(JSON.stringify(event));
        resourceVersion = event.object.metadata?.resourceVersion ?? resourceVersion;
        this.#take(event);
      }
    }
  }

  #take(change: PodChange): void {
    const name = change.object.metadata?.name ?? "";
    this.#changes.set(name, [...this.of(name), change]);
    for (const listener of this.#listeners) listener(change);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await this.#watching;
  }
}

function isChange(event: WatchEvent): event is PodChange {
  return ["ADDED", "MODIFIED", "DELETED"].includes(event.type);
}
