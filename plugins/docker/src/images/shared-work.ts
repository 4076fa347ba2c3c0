interface Entry<T, P> {
  readonly result: Promise<T>;
  waiting: number;
  readonly stop: AbortController;
  readonly listeners: Set<(progress: P) => void>;
  readonly progress: { newest?: P };
}

/**
 * Work that several callers want at the same time is done once. A caller that goes away only stops waiting; when the
 * last one has gone the work itself is aborted. `P` is what the work tells of its progress, to all who wait; a newcomer
 * hears the newest at once.
 */
export class SharedWork<T, P = never> {
  readonly #running = new Map<string, Entry<T, P>>();

  async do(
    key: string,
    signal: AbortSignal,
    work: (signal: AbortSignal, tell: (progress: P) => void) => Promise<T>,
    hear: (progress: P) => void = () => undefined,
  ): Promise<T> {
    signal.throwIfAborted();
    let entry = this.#running.get(key);
    if (entry === undefined) {
      const stop = new AbortController();
      const listeners = new Set<(progress: P) => void>();
      const progress: { newest?: P } = {};
      const tell = (news: P): void => {
        progress.newest = news;
        for (const listener of listeners) listener(news);
      };
      const result = work(stop.signal, tell).finally(() => {
        if (this.#running.get(key)?.stop === stop) this.#running.delete(key);
      });
      // Whoever still waits sees the error; if nobody does, it is of no interest.
      result.catch(() => undefined);
      entry = { result, waiting: 0, stop, listeners, progress };
      this.#running.set(key, entry);
    }
    entry.waiting++;
    // Of its own, so that one who waits twice is told twice.
    const listener = (news: P): void => hear(news);
    entry.listeners.add(listener);
    if (entry.progress.newest !== undefined) listener(entry.progress.newest);
    let leave = (): void => undefined;
    const gone = new Promise<never>((_, reject) => {
      leave = () => reject(signal.reason instanceof Error ? signal.reason : new Error("aborted"));
    });
    signal.addEventListener("abort", leave, { once: true });
    try {
      return await Promise.race([entry.result, gone]);
    } finally {
      signal.removeEventListener("abort", leave);
      entry.listeners.delete(listener);
      entry.waiting--;
      if (entry.waiting === 0) {
        // A newcomer must not join work that is being given up.
        if (this.#running.get(key) === entry) this.#running.delete(key);
        entry.stop.abort(new Error("nobody waits for this any more"));
      }
    }
  }
}
