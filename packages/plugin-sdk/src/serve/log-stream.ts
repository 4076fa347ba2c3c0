import type { ServerResponse } from "node:http";
import { setTimeout as delay } from "node:timers/promises";
import { rejectionOf } from "./call-signal.ts";
import { writePiece } from "./write-piece.ts";

/** How long an error may still become the answer's status; then the headers go out, for followers of a silent log. */
const HEADERS_AFTER_MS = 150;

/**
 * Write a log as it comes. Throws before the first byte when the log cannot be had; an error after that cuts the
 * connection, so that the caller cannot take half a log for a whole one.
 */
export async function writeLog(
  response: ServerResponse,
  headers: Record<string, string>,
  log: AsyncIterable<Uint8Array>,
  signal: AbortSignal,
): Promise<void> {
  const pieces = log[Symbol.asyncIterator]();
  using ended = rejectionOf(signal);
  try {
    let next = pieces.next();
    await Promise.race([next, delay(HEADERS_AFTER_MS, undefined, { signal }), ended.promise]);
    response.writeHead(200, { ...headers, "content-type": "text/plain; charset=utf-8" });
    response.flushHeaders();
    for (;;) {
      const piece = await Promise.race([next, ended.promise]);
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
