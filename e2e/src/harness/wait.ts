/**
 * Asks again until `look` gives something other than `undefined` or `false`. Throws with what was waited for, and with
 * the last error of `look`, when the deadline has passed. The pause between two looks is no part of any expectation.
 */
export async function waitFor<T>(
  what: string,
  look: () => Promise<T | undefined | false> | T | undefined | false,
  { timeoutMs = 60_000, everyMs = 25, signal }: WaitOptions = {},
): Promise<T> {
  const deadline = Date.now() + timeoutMs;
  let last: unknown;
  while (Date.now() < deadline) {
    signal?.throwIfAborted();
    try {
      const seen = await look();
      if (seen !== undefined && seen !== false) return seen;
      last = undefined;
    } catch (error) {
      last = error;
    }
    await new Promise((resolve) => setTimeout(resolve, everyMs));
  }
  throw new Error(`Waited ${timeoutMs} ms in vain for ${what}${last ? `: ${String(last)}` : ""}`, {
    cause: last,
  });
}

export interface WaitOptions {
  timeoutMs?: number;
  everyMs?: number;
  signal?: AbortSignal;
}
