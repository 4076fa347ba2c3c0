import type { FSWatcher } from "node:fs";
import { watch } from "node:fs";
import type { Logger } from "pino";

/** Notices a file appearing in directories: the exit records of containers that are not this process's children. */
export class ExitWatch {
  readonly #watchers = new Map<string, FSWatcher>();
  readonly #logger: Logger;

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  add(directory: string, file: string, seen: () => void): void {
    if (this.#watchers.has(directory)) return;
    try {
      const watcher = watch(directory, { persistent: false }, (_event, name) => {
        if (name === file) seen();
      });
      // Watches are a limited good; without one the periodic look still comes.
      watcher.on("error", (error) => this.#gaveUp(directory, error));
      this.#watchers.set(directory, watcher);
    } catch (error) {
      this.#gaveUp(directory, error);
    }
  }

  remove(directory: string): void {
    this.#watchers.get(directory)?.close();
    this.#watchers.delete(directory);
  }

  close(): void {
    for (const directory of this.#watchers.keys()) this.remove(directory);
  }

  #gaveUp(directory: string, error: unknown): void {
    this.#logger.debug({ err: error, directory }, "cannot watch; looking at it now and then");
    this.remove(directory);
  }
}
