import { type RequestSpan, startRequestSpan } from "@interlink/protocol";
import { type Attributes, context, type Tracer } from "@opentelemetry/api";
import type { FastifyInstance } from "fastify";

declare module "fastify" {
  interface FastifyRequest {
    /** The span of this call, where calls have some. */
    callSpan: RequestSpan | undefined;
    /** What the span of this call is to say about it. */
    callAttributes: Attributes | undefined;
  }
}

const SPANS: Readonly<Record<string, string>> = {
  "/create": "CreatePlugin",
  "/update": "UpdatePlugin",
  "/delete": "DeletePlugin",
  "/status": "StatusPlugin",
  "/getLogs": "GetLogsPlugin",
  "/stats": "StatsPlugin",
  "/exec": "ExecPlugin",
  "/attach": "AttachPlugin",
  "/port-forward": "PortForwardPlugin",
};

/** A span for every call, below the API server's; the provider is called within it. */
export function traceCalls(app: FastifyInstance, tracer: Tracer): void {
  app.decorateRequest("callSpan", undefined);
  app.addHook("onRequest", (request, reply, done) => {
    const name = SPANS[request.routeOptions.url ?? ""];
    if (name === undefined) return done();
    const span = startRequestSpan(tracer, name, request.headers);
    request.callSpan = span;
    reply.raw.once("close", () => span.end(reply.raw.statusCode, request.callAttributes ?? {}));
    done();
  });
  app.addHook("preHandler", (request, _reply, done) => {
    const { callSpan } = request;
    if (callSpan === undefined) done();
    else context.with(callSpan.context, done);
  });
}
