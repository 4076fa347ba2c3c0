export type KubeletErrorCode =
  | "bad-request"
  | "invalid"
  | "unauthenticated"
  | "forbidden"
  | "not-found"
  | "not-implemented"
  | "unavailable"
  | "internal";

const httpCodes: Readonly<Record<KubeletErrorCode, number>> = {
  "bad-request": 400,
  unauthenticated: 401,
  forbidden: 403,
  "not-found": 404,
  invalid: 422,
  internal: 500,
  "not-implemented": 501,
  unavailable: 503,
};

/** A refusal of the kubelet API. The message is what `kubectl` prints. */
export class KubeletError extends Error {
  override readonly name = "KubeletError";
  readonly code: KubeletErrorCode;
  /** That the answer has besides. */
  readonly headers: Readonly<Record<string, string>>;

  constructor(
    code: KubeletErrorCode,
    message: string,
    options: { cause?: unknown; headers?: Record<string, string> } = {},
  ) {
    super(message, options);
    this.code = code;
    this.headers = options.headers ?? {};
  }

  get httpCode(): number {
    return httpCodes[this.code];
  }

  static from(error: unknown): KubeletError {
    if (error instanceof KubeletError) return error;
    const words = error instanceof Error ? error.message : String(error);
    return new KubeletError("internal", words, { cause: error });
  }
}
