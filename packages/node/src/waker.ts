import { pause } from "@interlink/kube";

/** A pause that somebody else may end. One who wakes a loop while it works spares it its next pause. */
export class Waker {
  #sleeping: AbortController | undefined;
  #woken = false;

  wake(): void {
    this.#woken = true;
    this.#sleeping?.abort();
  }

  /** Resolves after `ms`, or as soon as `wake` is called or the signal fires. Never rejects. */
  async pause(ms: number, signal: AbortSignal): Promise<void> {
    const sleeping = new AbortController();
    const end = (): void => sleeping.abort();
    signal.addEventListener("abort", end, { once: true });
    this.#sleeping = sleeping;
    if (!this.#woken && !signal.aborted) await pause(ms, sleeping.signal);
    this.#sleeping = undefined;
    this.#woken = false;
    signal.removeEventListener("abort", end);
  }
}
