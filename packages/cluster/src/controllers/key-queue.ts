import type { Logger } from "pino";

/** How many keys are handled before other work of the process gets its turn. */
const batchSize = 64;
const firstRetryMs = 250;
const lastRetryMs = 30_000;

/**
 * The work queue of one controller: a key that is added many times before its turn is handled once. `reconcile` is
 * synchronous (everything is in memory); if it throws, the key comes back later.
 */
export class KeyQueue {
  readonly #reconcile: (key: string) => void;
  readonly #logger: Logger;
  readonly #name: string;
  readonly #dirty = new Set<string>();
  readonly #timers = new Map<string, { timer: NodeJS.Timeout; at: number }>();
  readonly #failures = new Map<string, number>();
  #turn: NodeJS.Immediate | undefined;
  #stopped = false;

  constructor(name: string, logger: Logger, reconcile: (key: string) => void) {
    this.#name = name;
    this.#logger = logger;
    this.#reconcile = reconcile;
  }

  add(key: string): void {
    if (this.#stopped) return;
    this.#dirty.add(key);
    this.#turn ??= setImmediate(() => this.#run());
  }

  /** Adds the key later; an earlier appointment stands. */
  addAfter(key: string, milliseconds: number): void {
    if (this.#stopped) return;
    const at = performance.now() + milliseconds;
    const known = this.#timers.get(key);
    if (known && known.at <= at) return;
    if (known) clearTimeout(known.timer);
    const timer = setTimeout(
      () => {
        this.#timers.delete(key);
        this.add(key);
      },
      Math.min(Math.max(milliseconds, 0), 2 ** 31 - 1),
    );
    this.#timers.set(key, { timer, at });
  }

  /** Handles everything that waits for its turn, now. */
  flush(): void {
    while (this.#dirty.size > 0 && !this.#stopped) this.#batch();
  }

  stop(): void {
    this.#stopped = true;
    if (this.#turn) clearImmediate(this.#turn);
    for (const { timer } of this.#timers.values()) clearTimeout(timer);
    this.#timers.clear();
    this.#dirty.clear();
  }

  #run(): void {
    this.#turn = undefined;
    this.#batch();
    if (this.#dirty.size > 0) this.#turn = setImmediate(() => this.#run());
  }

  #batch(): void {
    let count = 0;
    for (const key of this.#dirty) {
      if (count >= batchSize) return;
      count += 1;
      this.#dirty.delete(key);
      this.#handle(key);
    }
  }

  #handle(key: string): void {
    try {
      this.#reconcile(key);
      this.#failures.delete(key);
    } catch (error) {
      const failures = (this.#failures.get(key) ?? 0) + 1;
      this.#failures.set(key, failures);
      this.#logger.warn(
        { controller: this.#name, key, err: error },
        "reconcile failed, will retry",
      );
      this.addAfter(key, Math.min(firstRetryMs * 2 ** (failures - 1), lastRetryMs));
    }
  }
}
