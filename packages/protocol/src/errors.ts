/**
 * What can go wrong between two peers. One sentence each:
 * - `malformed`   the bytes are not JSON (or not NDJSON) at all
 * - `invalid`     it is JSON, but not the message that belongs here
 * - `too-large`   the body, a line or a list exceeds a limit
 * - `unsupported` the request asks for something that this peer does not do
 * - `not-found`   the peer does not know this path or this thing
 * - `unreachable` no connection, or it broke before the answer
 * - `timeout`     the peer was reached (or dialled) but did not answer before the deadline
 * - `aborted`     our own caller gave up, or the client was closed
 * - `refused`     the peer answered, and not with 2xx; `message` carries its own words
 * - `bad-answer`  the peer answered 2xx with something that cannot be understood
 * - `unavailable` this process is starting, stopping or overloaded
 * - `internal`    a defect of ours
 */
export type ProtocolErrorCode =
  | "malformed"
  | "invalid"
  | "too-large"
  | "unsupported"
  | "not-found"
  | "unreachable"
  | "timeout"
  | "aborted"
  | "refused"
  | "bad-answer"
  | "unavailable"
  | "internal";

/** The one table from code to HTTP status; `refused` keeps the peer's own status when it is an error status. */
export const HTTP_STATUS_BY_CODE: Readonly<Record<ProtocolErrorCode, number>> = {
  malformed: 400,
  invalid: 400,
  "too-large": 413,
  unsupported: 501,
  "not-found": 404,
  unreachable: 502,
  timeout: 504,
  aborted: 499,
  refused: 502,
  "bad-answer": 502,
  unavailable: 503,
  internal: 500,
};

/** What an error may have beside its code and its words. */
export interface ProtocolErrorOptions {
  /** The peer's HTTP status (`refused`), or the one to answer with instead of the table's. */
  httpStatus?: number;
  cause?: unknown;
}

/** The one error class at the wire. `message` is a sentence for the person who can act, never with secret values. */
export class ProtocolError extends Error {
  override readonly name = "ProtocolError";
  readonly code: ProtocolErrorCode;
  readonly httpStatus?: number;
  /** Of the call that failed, once somebody has said it: ties the log lines of all hops together. */
  requestId?: string;

  constructor(code: ProtocolErrorCode, message: string, options: ProtocolErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    if (options.httpStatus !== undefined) this.httpStatus = options.httpStatus;
  }

  /** A ProtocolError as it is; anything else becomes `code` (default `internal`) with the original as cause. */
  static from(error: unknown, code: ProtocolErrorCode = "internal"): ProtocolError {
    if (error instanceof ProtocolError) return error;
    const message = error instanceof Error ? error.message : String(error);
    return new ProtocolError(code, message === "" ? code : message, { cause: error });
  }

  /** True when the same call may succeed later without anyone changing anything. */
  get transient(): boolean {
    if (this.code !== "refused") return !FINAL_CODES.has(this.code);
    const status = this.httpStatus ?? 500;
    return status >= 500 ? status !== 501 : [408, 425, 429].includes(status);
  }
}

/** Repeating these without a change cannot help. */
const FINAL_CODES: ReadonlySet<ProtocolErrorCode> = new Set([
  "malformed",
  "invalid",
  "too-large",
  "unsupported",
  "not-found",
]);

/** The status to answer a caller with when this error ends the call. */
export function httpStatusOf(error: ProtocolError): number {
  const own = error.httpStatus;
  return own !== undefined && own >= 400 && own <= 599 ? own : HTTP_STATUS_BY_CODE[error.code];
}
