import { once } from "node:events";
import type { ServerResponse } from "node:http";
import { PluginError } from "../plugin-error.ts";

/** A reader that takes nothing for so long is cut off, or its connection would be held for ever. */
const STALLED_MS = 5 * 60_000;

/** Write, and wait while the reader is slower than we are. Rejects with the signal's reason when it fires meanwhile. */
export async function writePiece(
  response: ServerResponse,
  piece: string | Uint8Array,
  signal: AbortSignal,
): Promise<void> {
  signal.throwIfAborted();
  if (response.write(piece)) return;
  const stalled = new AbortController();
  const stop = (): void => stalled.abort();
  const timer = setTimeout(stop, STALLED_MS);
  signal.addEventListener("abort", stop);
  try {
    await once(response, "drain", { signal: stalled.signal });
  } catch (cause) {
    signal.throwIfAborted();
    throw new PluginError("unavailable", "The reader takes nothing.", { cause });
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", stop);
  }
}
