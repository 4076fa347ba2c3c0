import type { Pod } from "kubernetes-types/core/v1.js";
import type { ContainerLogOptions } from "./log-options.ts";

/** What the kubelet API shows; the virtual node gives it. */
export interface KubeletBackend {
  /** Pods bound to this node, with the status that we hold to be true. */
  pods(): Pod[];
  pod(namespace: string, name: string): Pod | undefined;
  /**
   * The log of one container, as bytes. Reading ends when the signal fires. May throw a KubeletError, at once or while
   * it is read, to tell the user why there is no log.
   */
  logs(
    pod: Pod,
    container: string,
    options: ContainerLogOptions,
    signal: AbortSignal,
  ): AsyncIterable<Uint8Array>;
}

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

  constructor(code: KubeletErrorCode, message: string, options?: { cause: unknown }) {
    super(message, options);
    this.code = code;
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
