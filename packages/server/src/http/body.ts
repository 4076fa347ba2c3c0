import { parseJson } from "@interlink/protocol";
import type { FastifyRequest } from "fastify";

const NOTHING = Buffer.alloc(0);

/** The body's bytes; empty when there was none. */
export function bodyBytes(request: FastifyRequest): Buffer {
  return Buffer.isBuffer(request.body) ? request.body : NOTHING;
}

/** The body as a message. Throws ProtocolError `malformed` or what `read` throws. */
export function readBody<T>(request: FastifyRequest, read: (value: unknown) => T): T {
  return read(parseJson(bodyBytes(request)));
}
