import { once } from "node:events";
import type { ServerResponse } from "node:http";
import { KubeletError } from "./kubelet-error.ts";

/** How long the header waits for a first word from the site, so that an early failure still gets its own answer. */
const EARLY_MS = 500;

/**
 * Sends a container's log as it comes: header at once, each chunk at once, no faster than the reader reads, cut at
 * `limitBytes`. A failure before the header is thrown; one after it is written as the last line, since the status has
 * gone out. The caller's signal must fire when the reader leaves.
 */
export async function sendLog(
  log: AsyncIterable<Uint8Array>,
  response: ServerResponse,
  limitBytes: number | undefined,
  signal: AbortSignal,
  earlyMs: number = EARLY_MS,
): Promise<void> {
  const chunks = log[Symbol.asyncIterator]();
  let left = limitBytes ?? Number.POSITIVE_INFINITY;
  try {
    let next = chunks.next();
    await settledWithin(next, earlyMs);
    response.writeHead(200, { "content-type": "text/plain; charset=utf-8" });
    response.flushHeaders();
    while (left > 0) {
      const { done, value } = await unlessAborted(next, signal);
      if (done === true) break;
      const part = value.length > left ? value.subarray(0, left) : value;
      left -= part.length;
      if (!response.write(part)) await once(response, "drain", { signal });
      if (left > 0) next = chunks.next();
    }
    response.end();
  } catch (error) {
    if (signal.aborted) return;
    if (!response.headersSent) throw error;
    response.end(`\nThe log ends here: ${KubeletError.from(error).message}\n`);
  } finally {
    // Ends the source when we stop before it does. Not waited for: one that hangs would hang us.
    chunks.return?.().catch(() => undefined);
  }
}

/** The result of `promise`, or a rejection as soon as the signal fires, for a source that does not mind it. */
async function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  let onAbort: () => void = () => undefined;
  const aborted = new Promise<never>((_resolve, reject) => {
    onAbort = () => reject(new Error("the reader left", { cause: signal.reason }));
    if (signal.aborted) onAbort();
    signal.addEventListener("abort", onAbort, { once: true });
  });
  try {
    return await Promise.race([promise, aborted]);
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
}

/** Resolves when `promise` has, or after `ms`; rejects when `promise` rejects before that. */
async function settledWithin(promise: Promise<unknown>, ms: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, ms);
  });
  try {
    await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
