import type { ServerResponse } from "node:http";
import { unlessAborted } from "./call-signal.ts";
import { writePiece } from "./write-piece.ts";

/**
 * Write a log as it comes. An error in the first `headersAfterMs` is thrown and may still become the answer's status;
 * then the headers go out, or a follower of a silent log would wait for them for ever. An error after that cuts the
 * connection, so that the caller cannot take half a log for a whole one.
 */
export async function writeLog(
  response: ServerResponse,
  headers: Record<string, string>,
  log: AsyncIterable<Uint8Array>,
  options: { headersAfterMs: number; signal: AbortSignal },
): Promise<void> {
  const { headersAfterMs, signal } = options;
  const pieces = log[Symbol.asyncIterator]();
  try {
    let next = pieces.next();
    await settledWithin(unlessAborted(next, signal), headersAfterMs);
    response.writeHead(200, { ...headers, "content-type": "text/plain; charset=utf-8" });
    response.flushHeaders();
    for (;;) {
      // A race of its own for each piece: one that lives as long as the log would hold on to every piece of it.
      const piece = await unlessAborted(next, signal);
      if (piece.done === true) break;
      if (piece.value.length > 0) await writePiece(response, piece.value, signal);
      next = pieces.next();
    }
    response.end();
  } finally {
    // Not awaited: a provider that hangs in its log must not hold the call.
    pieces.return?.().catch(() => undefined);
  }
}

/** Waits for the promise, at most so long. Throws what it throws in that time. */
async function settledWithin(promise: Promise<unknown>, milliseconds: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, milliseconds);
  });
  try {
    await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
