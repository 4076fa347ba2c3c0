/** Why a command ended early. The sentence is for the person at the terminal and says what to do next. */
export type CliErrorCode = "usage" | "manifest" | "busy" | "unavailable" | "failed";

/** The one error that commands throw on purpose; `main` prints its sentence and nothing else. */
export class CliError extends Error {
  override readonly name = "CliError";
  readonly code: CliErrorCode;

  constructor(code: CliErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.code = code;
  }
}
