import { parseJson } from "@interlink/protocol";
import type { FastifyRequest } from "fastify";

const NOTHING = Buffer.alloc(0);

declare module "fastify" {
  interface FastifyRequest {
    /** The body as it was read, and by which reader. */
    message: { read: unknown; value: unknown } | undefined;
  }
}

/** The body's bytes; empty when there was none. */
export function bodyBytes(request: FastifyRequest): Buffer {
  return Buffer.isBuffer(request.body) ? request.body : NOTHING;
}

/**
 * The body as a message; who asks a second time is given the same, not to be changed. Throws ProtocolError `malformed`
 * or what `read` throws.
 */
export function readBody<T>(request: FastifyRequest, read: (value: unknown) => T): T {
  if (request.message?.read === read) return request.message.value as T;
  const json = parseJson(bodyBytes(request));
  // Before it is judged: the line that tells of its refusal names the pod as well.
  if (request.message === undefined) request.concerns(json);
  const value = read(json);
  request.message = { read, value };
  return value;
}
