/**
 * Work that several callers want at the same time is done once. A caller that goes away only stops waiting; when the
 * last one has gone the work itself is aborted.
 */
export class SharedWork<T> {
  readonly #running = new Map<
    string,
    { result: Promise<T>; waiting: number; stop: AbortController }
  >();

  async do(
    key: string,
    signal: AbortSignal,
    work: (signal: AbortSignal) => Promise<T>,
  ): Promise<T> {
    signal.throwIfAborted();
    let entry = this.#running.get(key);
    if (entry === undefined) {
      const stop = new AbortController();
      const result = work(stop.signal).finally(() => {
        if (this.#running.get(key)?.stop === stop) this.#running.delete(key);
      });
      // Whoever still waits sees the error; if nobody does, it is of no interest.
      result.catch(() => undefined);
      entry = { result, waiting: 0, stop };
      this.#running.set(key, entry);
    }
    entry.waiting++;
    let leave = (): void => undefined;
    const gone = new Promise<never>((_, reject) => {
      leave = () => reject(signal.reason instanceof Error ? signal.reason : new Error("aborted"));
    });
    signal.addEventListener("abort", leave, { once: true });
    try {
      return await Promise.race([entry.result, gone]);
    } finally {
      signal.removeEventListener("abort", leave);
      entry.waiting--;
      if (entry.waiting === 0) {
        // A newcomer must not join work that is being given up.
        if (this.#running.get(key) === entry) this.#running.delete(key);
        entry.stop.abort(new Error("nobody waits for this any more"));
      }
    }
  }
}
