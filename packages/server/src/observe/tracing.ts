import {
  logAttributes,
  podAttributes,
  type RequestSpan,
  startRequestSpan,
} from "@interlink/protocol";
import { type Attributes, context, type Tracer } from "@opentelemetry/api";
import type { FastifyInstance, FastifyRequest } from "fastify";

declare module "fastify" {
  interface FastifyRequest {
    /** The span of this request, where requests have some. */
    requestSpan: RequestSpan | undefined;
  }
}

/** Names of the existing API server's spans (reference: wire and node, section 9), and of those that it does not have. */
const SPANS: Readonly<Record<string, string>> = {
  "/create": "CreateAPI",
  "/update": "UpdateAPI",
  "/delete": "DeleteAPI",
  "/status": "StatusAPI",
  "/pinglink": "PingAPI",
  "/getLogs": "GetLogsAPI",
  "/stats": "StatsAPI",
  "/exec": "ExecAPI",
  "/attach": "AttachAPI",
  "/port-forward": "PortForwardAPI",
};

/** A span for every request, below the caller's; the plugin is called within it. To be added before all other hooks. */
export function traceRequests(app: FastifyInstance, tracer: Tracer): void {
  app.decorateRequest("requestSpan", undefined);
  app.addHook("onRequest", (request, reply, done) => {
    const name = SPANS[request.routeOptions.url ?? ""];
    if (name === undefined) return done();
    const span = startRequestSpan(tracer, name, request.headers);
    request.requestSpan = span;
    reply.raw.once("close", () => span.end(reply.raw.statusCode, attributesOf(request)));
    done();
  });
  // Not earlier: reading the body loses the context.
  app.addHook("preHandler", (request, _reply, done) => {
    const { requestSpan } = request;
    if (requestSpan === undefined) done();
    else context.with(requestSpan.context, done);
  });
}

function attributesOf(request: FastifyRequest): Attributes {
  const { headers } = request;
  const message = request.message?.value;
  return {
    "X-Forwarded-Email": headers["x-forwarded-email"] ?? "unknown",
    "X-Forwarded-User": headers["x-forwarded-user"] ?? "unknown",
    ...podAttributes(message),
    ...(Array.isArray(message) ? { "pods.count": message.length } : {}),
    ...logAttributes(message),
  };
}
