import { type KubeClient, paths, subresource } from "@interlink/kube";
import type { Pod } from "kubernetes-types/core/v1.js";

/**
 * What a node costs Kubernetes at the least: a client that writes each pod's status so many times, from Pending to
 * Running, as soon as it sees the pod, and does nothing else.
 */
export class BareClient {
  readonly #kube: KubeClient;
  readonly #writesOf: (index: number) => number;
  readonly #like: Pod;
  readonly #begun = new Set<string>();
  readonly #running: Promise<void>[] = [];

  /**
   * `writesOf`: how often the status of the pod that comes as this one is written; `like`: a pod of the node's; the last write
   * says what that one's status and annotations say.
   */
  constructor(kube: KubeClient, writesOf: (index: number) => number, like: Pod) {
    this.#kube = kube;
    this.#writesOf = writesOf;
    this.#like = like;
  }

  /** Told of every pod that a watch shows. */
  seen(pod: Pod, signal: AbortSignal): void {
    const uid = pod.metadata?.uid ?? "";
    if (this.#begun.has(uid)) return;
    const writes = this.#writesOf(this.#begun.size);
    this.#begun.add(uid);
    const written = this.#write(pod, writes, signal);
    // Its error is told by `done`.
    written.catch(() => undefined);
    this.#running.push(written);
  }

  /** Resolves when all that it has begun is written; rejects if something could not be. */
  async done(): Promise<void> {
    await Promise.all(this.#running);
  }

  async #write({ metadata }: Pod, writes: number, signal: AbortSignal): Promise<void> {
    const { namespace = "", name = "", uid } = metadata ?? {};
    const path = subresource(paths.pods.named(namespace, name), "status");
    for (let write = 1; write <= writes; write++) {
      const isLast = write === writes;
      const { status, metadata: { annotations } = {} } = this.#like;
      const patch = isLast
        ? { metadata: { uid, annotations }, status }
        : { metadata: { uid }, status: { ...status, phase: "Pending", message: `${write}` } };
      await this.#kube.patch(path, "strategic-merge", patch, { signal });
    }
  }
}
