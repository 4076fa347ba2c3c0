import type { Logger } from "pino";
import type { ContainerRuntime } from "../runtime/container-runtime.ts";
import { withDeadline } from "./with-deadline.ts";

/** The next look at the runtime finds what is left after that again. */
const DEADLINE_MS = 2 * 60_000;

/** Removes containers of pods without a job: left by a delete that was cut off, or their job directory was removed. */
export class Strays {
  readonly #runtime: ContainerRuntime;
  readonly #logger: Logger;
  readonly #closing = new AbortController();
  readonly #removals = new Map<string, Promise<void>>();

  constructor(runtime: ContainerRuntime, logger: Logger) {
    this.#runtime = runtime;
    this.#logger = logger;
  }

  /** Begin to remove all that the runtime has of a pod, unless that is under way. */
  remove(uid: string): void {
    if (this.#removals.has(uid)) return;
    this.#logger.warn({ uid }, "removing containers of a pod that this plugin has no job for");
    const removal = withDeadline(this.#closing.signal, DEADLINE_MS, (signal) =>
      this.#runtime.removeSandbox(uid, signal),
    )
      .catch((error: unknown) => {
        if (this.#closing.signal.aborted) return;
        this.#logger.warn({ err: error, uid }, "removal failed");
      })
      .finally(() => this.#removals.delete(uid));
    this.#removals.set(uid, removal);
  }

  /** Resolves when no removal of this pod is under way. */
  async settled(uid: string): Promise<void> {
    await this.#removals.get(uid);
  }

  async close(): Promise<void> {
    this.#closing.abort(new Error("The plugin is being stopped."));
    await Promise.all(this.#removals.values());
  }
}
