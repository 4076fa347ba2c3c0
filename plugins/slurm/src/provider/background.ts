/** Work that is under way though nobody waits for it now; whoever closes does. */
export class Background {
  readonly #running = new Set<Promise<unknown>>();

  /** What becomes of `work` is told to its own callers, or logged by itself: here only its end counts. */
  keep(work: Promise<unknown>): void {
    const kept = work.catch(() => undefined).finally(() => this.#running.delete(kept));
    this.#running.add(kept);
  }

  /** Resolves when all that is under way now is over. */
  async settled(): Promise<void> {
    await Promise.all(this.#running);
  }
}
