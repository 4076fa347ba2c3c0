/** The two requests to end: the first lets everything finish in order, the second does not wait. */
export interface StopSignals extends Disposable {
  stop: AbortSignal;
  impatience: AbortSignal;
  /** Ask for the end, as a signal would; asking again is no impatience. */
  request(): void;
}

/** What is needed of `process`. */
export interface SignalSource {
  on(name: NodeJS.Signals, listener: () => void): unknown;
  off(name: NodeJS.Signals, listener: () => void): unknown;
}

/** SIGHUP is in it because a closed terminal should stop the system that was started in it. */
const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

export function watchSignals(source: SignalSource): StopSignals {
  const stop = new AbortController();
  const impatience = new AbortController();
  const listener = () => (stop.signal.aborted ? impatience : stop).abort();
  for (const name of SIGNALS) source.on(name, listener);
  return {
    stop: stop.signal,
    impatience: impatience.signal,
    request: () => stop.abort(),
    [Symbol.dispose]() {
      for (const name of SIGNALS) source.off(name, listener);
    },
  };
}
