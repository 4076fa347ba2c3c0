import type { IncomingHttpHeaders } from "node:http";

/** What is known of a caller before its body is read. */
export interface CallerRequest {
  method: string;
  path: string;
  headers: IncomingHttpHeaders;
  /** Subject of a verified client certificate. */
  certificateSubject?: string;
}

/** Who calls, as far as it was told. */
export interface Caller {
  /** For logs and limits: the subject of a token or certificate, or what a file of tokens says beside it. Not a secret. */
  name?: string;
  /** Of the namespaces whose pods it may touch: names, or beginnings of names and `*`. Without: all of them. */
  namespaces?: readonly string[];
}

/**
 * Decides who may call, before the body is read. Throws a ProtocolError `refused` with `httpStatus` 401 or 403 and a
 * sentence for the operator. `/healthz`, `/readyz` and `/metrics` are not asked about.
 */
export type Authenticate = (request: CallerRequest) => Caller | void | Promise<Caller | void>;
