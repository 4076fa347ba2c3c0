/**
 * - `unreachable`: no answer from the engine: not running, connection cut, deadline over. Nothing is known.
 * - `not-found`, `conflict`, `unauthorized`, `bad-request`: the engine's 404, 409, 401/403 and other 4xx.
 * - `engine`: the engine's 5xx, or an error inside a stream of progress.
 */
export type EngineErrorCode =
  | "unreachable"
  | "not-found"
  | "conflict"
  | "unauthorized"
  | "bad-request"
  | "engine";

/** A call to the Engine API failed. The message is the engine's own words when it answered. */
export class EngineError extends Error {
  override readonly name = "EngineError";
  readonly code: EngineErrorCode;
  /** HTTP status, if the engine answered. */
  readonly status: number | undefined;

  constructor(
    code: EngineErrorCode,
    message: string,
    options?: ErrorOptions & { status?: number },
  ) {
    super(message, options);
    this.code = code;
    this.status = options?.status;
  }
}

/** Whether an error is an {@link EngineError} of one of these codes. */
export function isEngineError(error: unknown, ...codes: EngineErrorCode[]): error is EngineError {
  return error instanceof EngineError && (codes.length === 0 || codes.includes(error.code));
}

/** The name that a container was to have is taken. Podman before 4.4 answers that with a 500. */
export function isNameTaken(error: unknown): error is EngineError {
  return (
    isEngineError(error, "conflict") ||
    (isEngineError(error, "engine") && /name .*is already in use/i.test(error.message))
  );
}

export function codeOfStatus(status: number): EngineErrorCode {
  if (status === 404) return "not-found";
  if (status === 409) return "conflict";
  if (status === 401 || status === 403) return "unauthorized";
  return status < 500 ? "bad-request" : "engine";
}
