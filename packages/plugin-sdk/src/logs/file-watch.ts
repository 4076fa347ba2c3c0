import type { FSWatcher } from "node:fs";
import { watch } from "node:fs";
import { basename, dirname } from "node:path";

/** File systems without change events (NFS), and missed ones, cost at most this. */
const POLL_MS = 250;

/** Wakes a reader when its file may have changed: by the system's events, and by a poll as a net. */
export class FileWatch implements Disposable {
  readonly #watcher: FSWatcher | undefined;
  #changed = false;
  #wake: (() => void) | undefined;

  constructor(path: string) {
    const name = basename(path);
    try {
      // The directory, because the file may not exist yet.
      const watcher = watch(dirname(path), (_event, changed) => {
        if (changed !== null && changed !== name) return;
        this.#changed = true;
        this.#wake?.();
      });
      watcher.on("error", () => watcher.close());
      this.#watcher = watcher;
    } catch {
      this.#watcher = undefined; // No directory, or no more watches to be had: the poll does it alone.
    }
  }

  /** Resolves when the file may have changed since the last call, when `signal` fires, or when it is time to look. */
  async next(signal: AbortSignal): Promise<void> {
    if (!this.#changed && !signal.aborted) {
      const { promise, resolve } = deferred();
      const timer = setTimeout(resolve, POLL_MS);
      this.#wake = resolve;
      signal.addEventListener("abort", resolve, { once: true });
      await promise;
      clearTimeout(timer);
      signal.removeEventListener("abort", resolve);
      this.#wake = undefined;
    }
    this.#changed = false;
  }

  [Symbol.dispose](): void {
    this.#watcher?.close();
  }
}

function deferred(): { promise: Promise<void>; resolve: () => void } {
  let resolve: () => void = () => undefined;
  const promise = new Promise<void>((settle) => {
    resolve = () => settle();
  });
  return { promise, resolve };
}
