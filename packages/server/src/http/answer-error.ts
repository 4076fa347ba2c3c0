import { httpStatusOf, ProtocolError, Repeats } from "@interlink/protocol";
import type { FastifyError, FastifyReply, FastifyRequest } from "fastify";

/** What a caller is told of an error: one sentence as plain text, never escaped, never with a stack. */
function errorAnswer(
  error: unknown,
  requestId: string,
  bodyLimit: number | undefined,
): { status: number; message: string } {
  if (error instanceof ProtocolError && error.code !== "internal") {
    return { status: httpStatusOf(error), message: error.message };
  }
  const { statusCode, code, message } = (error ?? {}) as Partial<FastifyError>;
  if (code === "FST_ERR_CTP_BODY_TOO_LARGE") {
    return { status: 413, message: `the body is larger than ${bodyLimit ?? "the limit of"} bytes` };
  }
  if (statusCode !== undefined && statusCode >= 400 && statusCode <= 499) {
    return { status: statusCode, message: message ?? "the request cannot be understood" };
  }
  return {
    status: 500,
    message: `internal error of the API server; its log has the details under request id ${requestId}`,
  };
}

/** What strangers can ask for as often as they like; a line each would bury the others. */
const REFUSALS: ReadonlySet<number> = new Set([401, 403, 404, 429]);
const REFUSALS_EVERY_MS = 60_000;

export type ErrorHandler = (error: unknown, request: FastifyRequest, reply: FastifyReply) => void;

/** The one error handler of all routes. `now` in milliseconds. */
export function createErrorHandler(now: () => number): ErrorHandler {
  const repeats = new Repeats(REFUSALS_EVERY_MS, now);

  function log(error: unknown, status: number, message: string, request: FastifyRequest): void {
    const path = request.routeOptions.url;
    if (!REFUSALS.has(status)) {
      const line = { err: error, code: status, path };
      if (status >= 500) request.log.warn(line, "request failed");
      else request.log.info(line, "request refused");
      return;
    }
    const about = { code: status, path, from: request.ip, caller: request.caller?.name };
    const before = repeats.count(`${status} ${path} ${request.ip} ${message}`);
    if (before === undefined) request.log.debug({ ...about, reason: message }, "request refused");
    else request.log.warn({ ...about, reason: message, before }, "request refused");
  }

  return (error, request, reply) => {
    const { status, message } = errorAnswer(error, request.id, request.routeOptions.bodyLimit);
    log(error, status, message, request);
    answer(status, message, reply);
  };
}

function answer(status: number, message: string, reply: FastifyReply): void {
  if (status === 503) reply.header("retry-after", "1");
  // A body that was not read to its end leaves the connection in no state to be used again.
  if (status === 413) reply.header("connection", "close");
  reply.code(status).type("text/plain; charset=utf-8").send(message);
}
