import type { Logger } from "pino";
import type { Clock } from "../clock.ts";
import type { AboutPodJob } from "../work.ts";
import { diskUsage } from "./disk-usage.ts";
import { overuse, type StorageLimits } from "./storage-limits.ts";

/** A kubelet's (`pkg/kubelet/eviction`, monitoring interval). */
const INTERVAL_MS = 10_000;
/** A measurement that takes long is made less often: at most this part of the time. */
const MOST_OF_THE_TIME = 1 / 20;

export interface StorageWatchOptions {
  limits: StorageLimits;
  /** Where an emptyDir is on disk. */
  path: (volume: string) => string;
  /** Bytes in a container's own layer; `undefined` if it does not run, or is not measured. */
  layer: (container: string, signal: AbortSignal) => Promise<number | undefined>;
  clock: Clock;
  logger: Logger;
  /** For log lines. */
  about: AboutPodJob;
  /** Nothing of the pod runs any more: what it left is not measured. */
  isOver: () => boolean;
  /** Told once, with what is exceeded; then nothing is measured any more. */
  exceeded: (message: string) => void;
}

/** Measures the emptyDirs of one pod, and its containers' own layers, now and then, only where they are limited. */
export class StorageWatch implements AsyncDisposable {
  readonly #options: StorageWatchOptions;
  readonly #stop = new AbortController();
  #cancel: (() => void) | undefined;
  #measuring: Promise<void> | undefined;

  constructor(options: StorageWatchOptions) {
    this.#options = options;
    this.#wait(INTERVAL_MS);
  }

  async close(): Promise<void> {
    this.#stop.abort();
    this.#cancel?.();
    await this.#measuring;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #wait(milliseconds: number): void {
    const { clock } = this.#options;
    this.#cancel = clock.at(clock.now() + milliseconds, () => {
      this.#measuring = this.#measure();
    });
  }

  /** Never rejects. */
  async #measure(): Promise<void> {
    const { limits, path, layer, clock, logger, about, isOver, exceeded } = this.#options;
    const { signal } = this.#stop;
    if (isOver()) return;
    const before = clock.now();
    try {
      const usage = new Map<string, bigint>();
      for (const { name } of limits.volumes) usage.set(name, await diskUsage(path(name), signal));
      const layers = new Map<string, bigint>();
      for (const { name } of limits.containers) {
        const bytes = await layer(name, signal);
        if (bytes !== undefined) layers.set(name, BigInt(bytes));
      }
      const message = overuse(limits, usage, layers);
      if (message !== undefined) {
        exceeded(message);
        return;
      }
    } catch (error) {
      if (signal.aborted) return;
      logger.warn({ ...about, err: error }, "the storage of a pod could not be measured");
    }
    if (signal.aborted) return;
    this.#wait(Math.max(INTERVAL_MS, (clock.now() - before) / MOST_OF_THE_TIME));
  }
}
