import { setTimeout as delay } from "node:timers/promises";

/**
 * Asks `ask` until it answers something other than `undefined` or `false`, and gives that back. What it throws counts
 * as "not yet"; when the time is over it is the cause of the error.
 */
export async function waitUntil<T>(
  what: string,
  ask: () => Promise<T | undefined | false> | T | undefined | false,
  milliseconds = 60_000,
): Promise<T> {
  const end = Date.now() + milliseconds;
  let last: unknown;
  for (;;) {
    try {
      const answer = await ask();
      if (answer !== undefined && answer !== false) return answer;
      last = undefined;
    } catch (error) {
      last = error;
    }
    if (Date.now() >= end) {
      const because = last instanceof Error ? `: ${last.message}` : "";
      throw new Error(`Waited ${milliseconds / 1000} s in vain until ${what}${because}.`, {
        cause: last,
      });
    }
    await delay(50);
  }
}
