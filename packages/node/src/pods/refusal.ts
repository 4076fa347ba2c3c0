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

/** Of sockets: no connection came about. */
const NOT_CONNECTED: ReadonlySet<unknown> = new Set([
  "ECONNREFUSED",
  "ENOENT",
  "ENOTFOUND",
  "EAI_AGAIN",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "UND_ERR_CONNECT_TIMEOUT",
]);

/**
 * Whether a failed call may have taken effect all the same, or may still do so: its answer was lost, or it comes from a
 * peer that could not tell more than that something went wrong behind it.
 */
export function mayHaveArrived(error: unknown): boolean {
  if (!(error instanceof ProtocolError)) return true;
  if (error.code === "refused") return (error.httpStatus ?? 500) >= 500;
  const { cause } = error;
  const code = cause instanceof Error && "code" in cause ? cause.code : undefined;
  return !(error.code === "unreachable" && NOT_CONNECTED.has(code));
}

/** What went wrong, for people. */
export function wordsOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
