/** Time as the supervisor sees it; tests hand in one that they move. */
export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number;
  /** Calls back once at `at` (milliseconds since the epoch) or later. Returns the function that calls it off. */
  at(at: number, callback: () => void): () => void;
}

/** Longest wait that a Node timer can hold, in milliseconds: one that is longer fires at once. */
export const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** The real one. Its timers do not keep the process alive. */
export const systemClock: Clock = {
  now: () => Date.now(),
  at: (at, callback) => {
    const timer = setTimeout(callback, Math.min(Math.max(at - Date.now(), 0), LONGEST_TIMER_MS));
    timer.unref();
    return () => clearTimeout(timer);
  },
};
