import { pause } from "@interlink/kube";

/**
 * Asks every 50 ms until the answer is neither `undefined` nor `false`, and gives it back. Throws when the time is over,
 * when the signal fires, and what `ask` throws.
 */
export async function until<T>(
  what: string,
  ask: () => Promise<T | undefined | false> | T | undefined | false,
  signal: AbortSignal,
  timeoutMs = 30_000,
): Promise<T> {
  const end = performance.now() + timeoutMs;
  for (;;) {
    signal.throwIfAborted();
    const answer = await ask();
    if (answer !== undefined && answer !== false) return answer;
    if (performance.now() >= end) {
      throw new Error(`Waited ${timeoutMs / 1000} s in vain until ${what}.`);
    }
    await pause(50, signal);
  }
}
