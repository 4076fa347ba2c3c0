import { Worker } from "node:worker_threads";
import { RuntimeError } from "@interlink/plugin-sdk";

/** What to start. Its environment stays in this process: nobody else sees it. */
export interface SpawnOrder {
  file: string;
  args: readonly string[];
  cwd: string;
  env: Record<string, string>;
  /** File descriptor for stdout and stderr; may be closed once it has been spawned. */
  log: number;
}

interface Told {
  id: number;
  failed?: { code?: string; message: string };
  spawned?: true;
  ended?: true;
}

interface Waiting {
  spawned(): void;
  failed(error: Error): void;
  ended(): void;
}

/**
 * Starts processes from a thread of its own (`runner/spawn.mjs`). Starting one holds its caller up until the kernel has
 * run the new process for the first time: on a busy machine many milliseconds, in which the plugin would answer nobody.
 */
export class Spawner {
  readonly #script: string;
  readonly #waiting = new Map<number, Waiting>();
  #worker: Worker | undefined;
  #made = 0;

  /** `script`: path of `spawn.mjs`. */
  constructor(script: string) {
    this.#script = script;
  }

  /**
   * Resolves when it has been spawned; `ended` is called when it has ended, or when its end can no longer be told.
   * Throws `RuntimeError`: `StartFailed` if it can never be started so, `Unavailable` if not now.
   */
  spawn(order: SpawnOrder, ended: () => void): Promise<void> {
    this.#worker ??= this.#begin();
    const worker = this.#worker;
    this.#made += 1;
    const id = this.#made;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { spawned: resolve, failed: reject, ended });
      worker.postMessage({ id, ...order });
    });
  }

  /** What was started goes on running. */
  async close(): Promise<void> {
    this.#waiting.clear();
    const worker = this.#worker;
    this.#worker = undefined;
    await worker?.terminate();
  }

  #begin(): Worker {
    const worker = new Worker(this.#script, { env: {}, execArgv: [] });
    worker.unref();
    worker.on("message", (told: Told) => this.#heard(told));
    worker.on("error", (error) => this.#lost(worker, error));
    worker.on("exit", () => this.#lost(worker));
    return worker;
  }

  #heard({ id, failed, spawned, ended }: Told): void {
    const waiting = this.#waiting.get(id);
    if (failed !== undefined || ended) this.#waiting.delete(id);
    if (failed !== undefined) waiting?.failed(startError(failed));
    if (spawned) waiting?.spawned();
    if (ended) waiting?.ended();
  }

  /** The thread has died. Whoever waited is let go; their processes are found by their files. */
  #lost(worker: Worker, cause?: unknown): void {
    if (this.#worker !== worker) return;
    this.#worker = undefined;
    const lost = [...this.#waiting.values()];
    this.#waiting.clear();
    for (const waiting of lost) {
      waiting.failed(
        new RuntimeError("Unavailable", "The thread that starts processes died.", { cause }),
      );
      waiting.ended();
    }
  }
}

function startError({ code, message }: { code?: string; message: string }): RuntimeError {
  if (code !== "E2BIG")
    return new RuntimeError("Unavailable", `cannot start a process: ${message}`);
  return new RuntimeError(
    "StartFailed",
    "The environment is larger than this system lets a process have.",
  );
}
