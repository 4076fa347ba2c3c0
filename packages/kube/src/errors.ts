/** Every way in which a request to a Kubernetes API server can fail. */
export type KubeErrorCode =
  | "not-found"
  | "conflict"
  | "already-exists"
  | "gone"
  | "invalid"
  | "forbidden"
  | "unauthorized"
  | "too-many-requests"
  | "timeout"
  | "unreachable"
  | "aborted"
  | "server-error"
  | "credentials"
  | "other";

/** A Kubernetes `Status` object, as far as this package reads it. */
export interface KubeStatus {
  kind?: string;
  reason?: string;
  message?: string;
  code?: number;
  details?: {
    name?: string;
    /** The resource, in the plural: `namespaces`. */
    kind?: string;
    retryAfterSeconds?: number;
    causes?: { reason?: string; message?: string; field?: string }[];
  };
}

interface KubeErrorDetails {
  httpCode?: number | undefined;
  status?: KubeStatus | undefined;
  retryAfterMs?: number | undefined;
  cause?: unknown;
}

/**
 * The one error of this package. `message` is a sentence for people; `code` is for programs; `status` is what the
 * server said, when a server said something.
 */
export class KubeError extends Error {
  override readonly name = "KubeError";
  readonly code: KubeErrorCode;
  readonly httpCode: number | undefined;
  readonly status: KubeStatus | undefined;
  /** How long the server asks to wait before the next try. */
  readonly retryAfterMs: number | undefined;

  constructor(code: KubeErrorCode, message: string, details: KubeErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.code = code;
    this.httpCode = details.httpCode;
    this.status = details.status;
    this.retryAfterMs = details.retryAfterMs;
  }

  /** The reason word of the server's Status (`NotFound`, `Expired` …), if it sent one. */
  get reason(): string | undefined {
    return this.status?.reason;
  }

  /** Turns anything thrown while talking to a server into a KubeError; `doing` is `GET https://…`. */
  static from(error: unknown, doing = "request to the Kubernetes API"): KubeError {
    if (error instanceof KubeError) return error;
    const code = transportCode(error);
    const words = error instanceof Error ? describe(error) : String(error);
    return new KubeError(code, `${doing}: ${words}`, { cause: error });
  }

  /** From a Status object: the body of an answer that is not 2xx, or the object of a watch's ERROR event. */
  static fromStatus(
    httpCode: number,
    status: KubeStatus | undefined,
    doing: string,
    retryAfterMs?: number,
  ): KubeError {
    const words = status?.message ?? `the server answered ${httpCode}`;
    const seconds = status?.details?.retryAfterSeconds;
    return new KubeError(statusCode(httpCode, status?.reason), `${doing}: ${words}`, {
      httpCode,
      status,
      retryAfterMs: retryAfterMs ?? (seconds === undefined ? undefined : seconds * 1000),
    });
  }
}

/** Whether `error` is a KubeError with one of `codes`. */
export function isKubeError(error: unknown, ...codes: KubeErrorCode[]): error is KubeError {
  return error instanceof KubeError && (codes.length === 0 || codes.includes(error.code));
}

/** Whether the same request may succeed a little later: the API server was not reached, was busy, or failed. */
export function isPassing(error: unknown): error is KubeError {
  return isKubeError(error, "unreachable", "timeout", "server-error", "too-many-requests");
}

/**
 * Reads `Retry-After`, in milliseconds: seconds or an HTTP date. Undefined when absent or unreadable.
 */
export function parseRetryAfter(header: string | undefined, nowMs: number): number | undefined {
  if (header === undefined) return undefined;
  const text = header.trim();
  if (/^\d+$/.test(text)) return Number(text) * 1000;
  const date = Date.parse(text);
  return Number.isNaN(date) ? undefined : Math.max(0, date - nowMs);
}

const byReason: Readonly<Record<string, KubeErrorCode>> = {
  NotFound: "not-found",
  AlreadyExists: "already-exists",
  Conflict: "conflict",
  Gone: "gone",
  Expired: "gone",
  Invalid: "invalid",
  BadRequest: "invalid",
  Forbidden: "forbidden",
  Unauthorized: "unauthorized",
  TooManyRequests: "too-many-requests",
  Timeout: "timeout",
  ServerTimeout: "timeout",
};

const byHttpCode: Readonly<Record<number, KubeErrorCode>> = {
  400: "invalid",
  401: "unauthorized",
  403: "forbidden",
  404: "not-found",
  409: "conflict",
  410: "gone",
  422: "invalid",
  429: "too-many-requests",
  504: "timeout",
};

function statusCode(httpCode: number, reason: string | undefined): KubeErrorCode {
  const named = reason === undefined ? undefined : byReason[reason];
  return named ?? byHttpCode[httpCode] ?? (httpCode >= 500 ? "server-error" : "other");
}

const timeouts = new Set([
  "UND_ERR_CONNECT_TIMEOUT",
  "UND_ERR_HEADERS_TIMEOUT",
  "UND_ERR_BODY_TIMEOUT",
  "ETIMEDOUT",
]);

function transportCode(error: unknown): KubeErrorCode {
  if (!(error instanceof Error)) return "other";
  const code = "code" in error && typeof error.code === "string" ? error.code : "";
  if (timeouts.has(code) || error.name === "TimeoutError") return "timeout";
  if (error.name === "AbortError" || code === "UND_ERR_ABORTED") return "aborted";
  if (error instanceof SyntaxError) return "server-error";
  if (code !== "") return "unreachable";
  return error.cause === undefined ? "other" : transportCode(error.cause);
}

/** Node's happy-eyeballs AggregateError has an empty message; its parts have the words. */
function describe(error: Error): string {
  if (error.message !== "") return error.message;
  if (error instanceof AggregateError)
    return error.errors.map((one) => (one instanceof Error ? one.message : String(one))).join("; ");
  return error.name;
}
