import { setTimeout as delay } from "node:timers/promises";

const FIRST_MS = 5;
const LONGEST_MS = 100;

/** Whether `condition` came true by `deadline` (of `performance.now()`, which nobody sets back). Throws the signal's reason on abort. */
export async function waitFor(
  condition: () => Promise<boolean>,
  deadline: number,
  signal: AbortSignal,
): Promise<boolean> {
  for (let pause = FIRST_MS; ; pause = Math.min(pause * 2, LONGEST_MS)) {
    signal.throwIfAborted();
    if (await condition()) return true;
    const left = deadline - performance.now();
    if (left <= 0) return false;
    await delay(Math.min(pause, left), undefined, { signal });
  }
}
