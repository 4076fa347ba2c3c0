import type { IncomingHttpHeaders } from "node:http";

/** What is known of a caller before its body is read. */
export interface CallerRequest {
  method: string;
  path: string;
  headers: IncomingHttpHeaders;
  /** Subject of a verified client certificate. */
  certificateSubject?: string;
}

/**
 * Decides who may call, before the body is read. Throws a ProtocolError `refused` with `httpStatus` 401 or 403 and a
 * sentence for the operator. `/healthz`, `/readyz` and `/metrics` are not asked about.
 */
export type Authenticate = (request: CallerRequest) => void | Promise<void>;
