import { ProtocolError } from "@interlink/protocol";

/** HTTP statuses with which a plugin says that this pod can never run there. 401, 403 and 404 are about the set-up. */
const FINAL_STATUSES: ReadonlySet<number> = new Set([400, 409, 410, 413, 415, 422]);

/**
 * Whether the site refused a pod for good. Anything else (no connection, a timeout, 5xx, an answer that cannot be
 * understood, a token that is not accepted) may pass, and the pod waits for it.
 */
export function isFinalRefusal(error: unknown): boolean {
  if (!(error instanceof ProtocolError)) return false;
  if (error.code === "refused") return FINAL_STATUSES.has(error.httpStatus ?? 500);
  return error.code === "invalid" || error.code === "too-large";
}

/** What went wrong, for people. */
export function wordsOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
