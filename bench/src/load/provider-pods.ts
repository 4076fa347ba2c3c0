import type { Provider } from "@interlink/plugin-sdk";
import type { RemotePodStatus } from "@interlink/protocol";
import type { Pod } from "kubernetes-types/core/v1.js";
import { forPlugin } from "../scenarios/create-data.ts";

/** The pods of a provider, as its listener hears of them. */
export class ProviderPods implements Disposable {
  readonly #provider: Provider;
  readonly #running = new Map<string, () => void>();
  readonly #gone = new Map<string, () => void>();
  readonly #stop: () => void;

  constructor(provider: Provider) {
    this.#provider = provider;
    this.#stop =
      provider.subscribe?.({
        status: (status) => {
          if (isRunning(status)) this.#running.get(status.UID)?.();
        },
        gone: ({ UID }) => this.#gone.get(UID)?.(),
        event: () => undefined,
      }) ?? (() => undefined);
  }

  /** Creates all at once. Resolves with the milliseconds until each was told to be running. */
  async create(pods: readonly Pod[], signal: AbortSignal): Promise<number[]> {
    const begun = performance.now();
    return Promise.all(
      pods.map(async (pod) => {
        const running = heard(this.#running, pod, signal);
        await this.#provider.create(forPlugin(pod), signal);
        await running;
        return performance.now() - begun;
      }),
    );
  }

  /** Deletes all at once, without grace. Resolves when nothing is left of them. */
  async delete(pods: readonly Pod[], signal: AbortSignal): Promise<void> {
    await Promise.all(
      pods.map(async (pod) => {
        const gone = heard(this.#gone, pod, signal);
        const metadata = { ...pod.metadata, deletionGracePeriodSeconds: 0 };
        await this.#provider.delete({ ...pod, metadata }, signal);
        await gone;
      }),
    );
  }

  [Symbol.dispose](): void {
    this.#stop();
  }
}

function isRunning({ containers }: RemotePodStatus): boolean {
  return containers.length > 0 && containers.every(({ state }) => state?.running !== undefined);
}

function heard(waiting: Map<string, () => void>, pod: Pod, signal: AbortSignal): Promise<void> {
  const { uid = "" } = pod.metadata ?? {};
  const news = new Promise<void>((resolve, reject) => {
    signal.addEventListener("abort", () => reject(signal.reason as Error), { once: true });
    waiting.set(uid, resolve);
  });
  // Its error is told to whoever waits for it, perhaps later.
  news.catch(() => undefined);
  return news.finally(() => waiting.delete(uid));
}
