import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { Worker } from "node:worker_threads";
import { PluginError } from "../plugin-error.ts";
import type { Disk } from "./disk.ts";
import type { FileStep } from "./file-step.ts";

const SCRIPT = fileURLToPath(new URL("../../runner/file-steps.mjs", import.meta.url));

/** A file system far away answers one thread slowly; it gets as many as Node itself would use. */
const MOST_THREADS = 4;
/** Another thread is begun when none has told anything for so long (milliseconds) of what it was asked first. */
const SLOW_MS = 50;
/** Requests to a thread in one message; the last of them is told of no sooner than the first. */
const MOST_AT_ONCE = 8;

/** What a thread tells of one request. */
interface Told {
  id: number;
  failed?: { code?: string; syscall?: string; path?: string; message: string };
  stamps?: (string | null)[];
}

interface Waiting {
  /** Milliseconds of `performance.now`. */
  since: number;
  done: (told: Told) => void;
  failed: (error: Error) => void;
}

type Request = { id: number } & ({ steps: readonly FileStep[] } | { stat: readonly string[] });

interface Thread {
  worker: Worker;
  waiting: Map<number, Waiting>;
  /** It has not told of all that it was asked; what comes meanwhile is asked at once afterwards. */
  isBusy: boolean;
  next: Request[];
}

export interface ThreadedDiskOptions {
  /** Path of `runner/file-steps.mjs`, where it is not at its place. */
  script?: string;
}

/**
 * A disk whose steps are made by threads of its own (`runner/file-steps.mjs`), each list as a whole: for a plugin that makes
 * hundreds of lists in a row. Threads are begun at the first need, and again when one has died.
 */
export class ThreadedDisk implements Disk, AsyncDisposable {
  readonly #script: string;
  readonly #threads = new Set<Thread>();
  readonly #syncs = new Map<string, Sync>();
  #made = 0;
  #closed = false;

  constructor({ script = SCRIPT }: ThreadedDiskOptions = {}) {
    this.#script = script;
  }

  async make(steps: readonly FileStep[]): Promise<void> {
    await this.#ask({ steps });
  }

  /** Of each path a text that changes when the file does, or can be looked at again; `undefined`: there is none. */
  async stamps(paths: readonly string[]): Promise<(string | undefined)[]> {
    const { stamps = [] } = await this.#ask({ stat: paths });
    return stamps.map((stamp) => stamp ?? undefined);
  }

  /** Those who come while a directory is being synced share the next time. */
  async syncDirectory(path: string): Promise<void> {
    const present = this.#syncs.get(path);
    if (present !== undefined) {
      present.next ??= present.running.then(
        () => this.#sync(path),
        () => this.#sync(path),
      );
      return present.next;
    }
    return this.#sync(path);
  }

  async readText(path: string): Promise<string> {
    return readFile(path, "utf8");
  }

  /** What has been begun is given up. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    const threads = [...this.#threads];
    for (const thread of threads) this.#lost(thread);
    await Promise.all(threads.map(({ worker }) => worker.terminate()));
  }

  #sync(path: string): Promise<void> {
    const running = this.make([{ make: "synced", path }]);
    const sync: Sync = { running, next: undefined };
    this.#syncs.set(path, sync);
    const over = (): void => {
      if (sync.next === undefined) this.#syncs.delete(path);
    };
    running.then(over, over);
    return running;
  }

  #ask(request: { steps: readonly FileStep[] } | { stat: readonly string[] }): Promise<Told> {
    if (this.#closed) {
      return Promise.reject(new PluginError("unavailable", "The plugin is shutting down."));
    }
    const since = performance.now();
    const thread = this.#choose(since);
    const id = ++this.#made;
    return new Promise((resolve, reject) => {
      thread.waiting.set(id, { since, done: resolve, failed: reject });
      // Only what waits keeps this process.
      if (thread.waiting.size === 1) thread.worker.ref();
      thread.next.push({ id, ...request });
      if (!thread.isBusy) this.#send(thread);
    });
  }

  #send(thread: Thread): void {
    const requests = thread.next.splice(0, MOST_AT_ONCE);
    thread.isBusy = requests.length > 0;
    if (thread.isBusy) thread.worker.postMessage(requests);
    else thread.worker.unref();
  }

  #choose(now: number): Thread {
    let least: Thread | undefined;
    let areSlow = true;
    for (const thread of this.#threads) {
      const [first] = thread.waiting.values();
      if (first === undefined || now - first.since < SLOW_MS) areSlow = false;
      if (least === undefined || thread.waiting.size < least.waiting.size) least = thread;
    }
    const hasRoom = this.#threads.size < MOST_THREADS;
    return least === undefined || (areSlow && hasRoom) ? this.#begin() : least;
  }

  #begin(): Thread {
    const worker = new Worker(this.#script, { env: {}, execArgv: [] });
    const thread: Thread = { worker, waiting: new Map(), isBusy: false, next: [] };
    worker.on("message", (all: readonly Told[]) => {
      this.#send(thread);
      for (const told of all) {
        const waiting = thread.waiting.get(told.id);
        thread.waiting.delete(told.id);
        if (told.failed === undefined) waiting?.done(told);
        else waiting?.failed(systemError(told.failed));
      }
    });
    worker.on("error", (error) => this.#lost(thread, error));
    worker.on("exit", () => this.#lost(thread));
    this.#threads.add(thread);
    return thread;
  }

  /** Whoever waited does not know what was made. */
  #lost(thread: Thread, cause?: unknown): void {
    this.#threads.delete(thread);
    for (const { failed } of thread.waiting.values()) {
      failed(new PluginError("unavailable", "The thread that writes files has ended.", { cause }));
    }
    thread.waiting.clear();
    thread.next.length = 0;
  }
}

interface Sync {
  running: Promise<void>;
  /** Of those who came while it ran. */
  next: Promise<void> | undefined;
}

/** As the system's own errors are. */
function systemError({ message, ...rest }: NonNullable<Told["failed"]>): Error {
  return Object.assign(new Error(message), rest);
}
