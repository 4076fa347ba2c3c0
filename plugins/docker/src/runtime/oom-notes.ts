import { deadline } from "../engine/deadline.ts";

/** How long the engine's word about memory may come after its word about the end. */
const LATE_MS = 300;

/**
 * Which containers ran out of memory. Under load the engine hears of the end first, and then never puts it right in its
 * own record; but it still sends the event.
 */
export class OomNotes {
  readonly #seen = new Set<string>();
  readonly #waiting = new Map<string, Set<() => void>>();

  note(id: string): void {
    this.#seen.add(id);
    for (const wake of this.#waiting.get(id) ?? []) wake();
  }

  /** Whether it did, waiting a moment for the event. Rejects with the signal's reason. */
  async ranOut(id: string, signal: AbortSignal): Promise<boolean> {
    if (!this.#seen.has(id)) await this.#wait(id, signal);
    signal.throwIfAborted();
    return this.#seen.has(id);
  }

  forgetAllBut(ids: ReadonlySet<string>): void {
    for (const id of this.#seen) if (!ids.has(id)) this.#seen.delete(id);
  }

  async #wait(id: string, signal: AbortSignal): Promise<void> {
    using limit = deadline(signal, LATE_MS);
    const wakers = this.#waiting.get(id) ?? new Set();
    this.#waiting.set(id, wakers);
    await new Promise<void>((resolve) => {
      wakers.add(resolve);
      if (limit.signal.aborted) resolve();
      else limit.signal.addEventListener("abort", () => resolve(), { once: true });
    });
    this.#waiting.delete(id);
  }
}
