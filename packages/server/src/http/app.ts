import { randomUUID } from "node:crypto";
import { createServer, type IncomingMessage } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { TlsOptions } from "node:tls";
import {
  type Authenticate,
  certificateSubject,
  isRequestId,
  ProtocolError,
  type RateLimit,
  REQUEST_ID_HEADER,
} from "@interlink/protocol";
import type { Tracer } from "@opentelemetry/api";
import { type FastifyInstance, fastify, LogController } from "fastify";
import type { ServerMetrics } from "../observe/metrics.ts";
import { traceRequests } from "../observe/tracing.ts";
import type { ListenOptions, ServerContext, ServerTls } from "../options.ts";
import type { SeveralPlugins } from "../plugin/several/several-plugins.ts";
import { createErrorHandler } from "./answer-error.ts";

/** Go callers use GET with a body and whatever other method they like; the path decides. */
export const ANY_METHOD = ["GET", "POST", "PUT", "PATCH", "DELETE"];

const WITHOUT_AUTHENTICATION: ReadonlySet<string> = new Set(["/healthz", "/readyz", "/metrics"]);
/** Their own limit counts them (http/streams.ts). */
const STREAMS: ReadonlySet<string> = new Set([
  "/getLogs",
  "/status/stream",
  "/exec",
  "/attach",
  "/port-forward",
]);
/** The words of an exec are in its URL; as much as a Go server takes. */
const MAX_HEADER_BYTES = 1024 * 1024;

function tlsOptions({ cert, key, clientCa }: ServerTls): TlsOptions {
  const own = { cert, key, minVersion: "TLSv1.2", handshakeTimeout: 10_000 } as const;
  if (clientCa === undefined) return own;
  return { ...own, ca: clientCa, requestCert: true, rejectUnauthorized: true };
}

/** Who may call, how often, and who takes note. */
export interface Doorkeepers {
  tracer?: Tracer | undefined;
  authenticate?: Authenticate | undefined;
  rateLimit?: RateLimit | undefined;
  several?: SeveralPlugins | undefined;
}

/** The HTTP frame around the routes: body bytes as they are, request ids, limits, errors as plain text, metrics. */
export function createApp(
  context: ServerContext,
  listen: ListenOptions,
  metrics: ServerMetrics,
  { authenticate, rateLimit, tracer, several }: Doorkeepers,
): FastifyInstance {
  const { limits } = context;
  const tls = "tls" in listen ? listen.tls : undefined;
  const serverOptions = {
    maxHeaderSize: MAX_HEADER_BYTES,
    requestTimeout: limits.requestMs,
    headersTimeout: Math.min(10_000, limits.requestMs),
    // How late those two may be; Node looks every 30 s unless told.
    connectionsCheckingInterval: Math.min(5_000, limits.requestMs),
    // Go virtual nodes keep idle connections for 120 s; to close one earlier would race with their next create.
    keepAliveTimeout: 150_000,
  };
  const app = fastify({
    serverFactory: (handler) =>
      tls === undefined
        ? createServer(serverOptions, handler)
        : createTlsServer({ ...serverOptions, ...tlsOptions(tls) }, handler),
    bodyLimit: limits.otherBytes,
    loggerInstance: context.logger,
    logController: new LogController({
      disableRequestLogging: true,
      requestIdLogLabel: "requestId",
    }),
    genReqId: requestId,
    exposeHeadRoutes: false,
    rewriteUrl: ({ url }) => (url === undefined ? "/" : (several?.split(url).url ?? url)),
  }) as unknown as FastifyInstance;
  if (several !== undefined) {
    app.addHook("onRequest", (request, _reply, done) => {
      several.within(several.split(request.originalUrl).plugin, done);
    });
  }

  app.server.maxConnections = limits.connections;
  if (tracer !== undefined) traceRequests(app, tracer);
  app.addHttpMethod("GET", { hasBody: true, overrideExisting: true });
  app.removeAllContentTypeParsers();
  app.addContentTypeParser("*", { parseAs: "buffer" }, (request, body, done) => {
    const encoding = request.headers["content-encoding"];
    if (encoding === undefined || encoding === "identity") done(null, body);
    else {
      done(
        new ProtocolError("unsupported", "compressed bodies are not accepted", { httpStatus: 415 }),
      );
    }
  });
  app.setErrorHandler(createErrorHandler(() => performance.now()));
  app.setNotFoundHandler((request, reply) =>
    reply
      .code(404)
      .type("text/plain; charset=utf-8")
      .send(`there is nothing at ${request.url.split("?")[0]?.slice(0, 200)} on an API server`),
  );

  app.decorateRequest("caller", undefined);
  app.decorateRequest("message", undefined);
  let inWork = 0;
  app.addHook("onRequest", async (request, reply) => {
    reply.header("x-content-type-options", "nosniff");
    reply.header(REQUEST_ID_HEADER, request.id);
    const path = request.routeOptions.url ?? "";
    if (!STREAMS.has(path)) {
      inWork++;
      reply.raw.once("close", () => inWork--);
      if (inWork > limits.requests) {
        throw new ProtocolError("unavailable", "too many requests at once; try again");
      }
    }
    if (WITHOUT_AUTHENTICATION.has(path)) return;
    const subject = certificateSubject(request.raw);
    if (subject !== undefined) request.caller = { name: subject };
    if (authenticate !== undefined) {
      const caller = await authenticate({
        method: request.method,
        path,
        headers: request.headers,
        ...(subject === undefined ? {} : { certificateSubject: subject }),
      });
      if (caller !== undefined) request.caller = caller;
    }
    const wait = rateLimit?.take(request.caller?.name ?? request.ip) ?? 0;
    if (wait > 0) {
      reply.header("retry-after", String(wait));
      throw new ProtocolError("unavailable", `too many requests; ask again after ${wait} s`, {
        httpStatus: 429,
      });
    }
  });
  app.addHook("onResponse", async (request, reply) => {
    const path = request.routeOptions.url ?? "/unknown";
    const { statusCode } = reply.raw;
    const seconds = STREAMS.has(path) ? -1 : reply.elapsedTime / 1000;
    metrics.requestDone(path.slice(1), statusCode, seconds);
    request.log.debug({ path, code: statusCode, ms: Math.round(reply.elapsedTime) }, "answered");
  });
  return app;
}

/** The caller's id when it is fit for headers and logs; Go API servers make the same kind when there is none. */
function requestId(request: IncomingMessage): string {
  const given = request.headers[REQUEST_ID_HEADER];
  return typeof given === "string" && isRequestId(given) ? given : `Request-${randomUUID()}`;
}
