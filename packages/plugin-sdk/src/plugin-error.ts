/** What went wrong, in a closed set that callers decide on. */
export type PluginErrorCode =
  /** The request itself is wrong or incomplete. Repeating it cannot help. */
  | "invalid"
  /** The pod, container or log asked for does not exist here. */
  | "not-found"
  /** It contradicts what has happened: a create after the delete of the same UID, a directory in use. */
  | "conflict"
  /** Final: the resource refuses this pod, in words for the pod's owner. */
  | "rejected"
  /** Transient: the resource does not answer now. Repeat with back-off. */
  | "unavailable"
  /** This plugin does not offer that. */
  | "unsupported"
  /** A defect, or a damaged disk. Details are for the operator's log, not for the caller. */
  | "internal";

/** HTTP status by code, as `servePlugin` answers. Peers of the base protocol treat everything but 200 as an error. */
export const PLUGIN_ERROR_HTTP_STATUS: Readonly<Record<PluginErrorCode, number>> = {
  invalid: 400,
  "not-found": 404,
  conflict: 409,
  rejected: 422,
  unavailable: 503,
  unsupported: 501,
  internal: 500,
};

/**
 * The one error of a plugin. Its message is a sentence for the person who can act, and reaches the pod's owner as a
 * Kubernetes event; so it holds the resource's own words and never a secret.
 */
export class PluginError extends Error {
  override readonly name = "PluginError";
  readonly code: PluginErrorCode;

  constructor(code: PluginErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.code = code;
  }

  /** Status of the HTTP answer that carries this error. */
  get httpStatus(): number {
    return PLUGIN_ERROR_HTTP_STATUS[this.code];
  }

  /**
   * Anything thrown, as a `PluginError`. One from another copy of this package keeps its code; an abort becomes
   * `unavailable`; everything else is `internal`, with a message that gives nothing away and the original as cause.
   */
  static from(error: unknown): PluginError {
    if (error instanceof PluginError) return error;
    if (error instanceof Error) {
      if (error.name === "PluginError" && isCode((error as { code?: unknown }).code)) {
        const { code } = error as Error & { code: PluginErrorCode };
        return new PluginError(code, error.message, { cause: error });
      }
      if (error.name === "AbortError" || error.name === "TimeoutError") {
        return new PluginError("unavailable", "The call was given up before it was done.", {
          cause: error,
        });
      }
    }
    return new PluginError("internal", "The plugin failed unexpectedly.", { cause: error });
  }
}

function isCode(value: unknown): value is PluginErrorCode {
  return typeof value === "string" && Object.hasOwn(PLUGIN_ERROR_HTTP_STATUS, value);
}
