import type { KubeError } from "./errors.ts";

/** A stream that is being read. */
export interface OpenStream {
  /** Bytes came. */
  heard(): void;
  closed(): void;
}

/**
 * The streams that are open, and when each was last heard. A stream whose connection has died without a word looks like
 * one with no news; that another call got no answer, while it was silent too, is what gives it away. (A kubelet closes
 * all its connections then: pkg/kubelet, onRepeatedHeartbeatFailure.)
 */
export class OpenStreams {
  readonly #lastHeard = new Map<AbortController, number>();
  readonly #now: () => number;

  constructor(now: () => number) {
    this.#now = now;
  }

  add(stop: AbortController): OpenStream {
    const heard = (): void => void this.#lastHeard.set(stop, this.#now());
    heard();
    return { heard, closed: () => void this.#lastHeard.delete(stop) };
  }

  /** Ends each that was not heard since then. Their readers begin anew, on new connections. */
  cutSilentSince(time: number, reason: KubeError): void {
    for (const [stop, heard] of this.#lastHeard) if (heard < time) stop.abort(reason);
  }
}
