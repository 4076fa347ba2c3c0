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

/** Names of the existing plugins' spans (reference: Slurm plugin, section 9), and of those that they do not have. */
const SPANS: Readonly<Record<string, string>> = {
  "/create": "Create",
  "/update": "Update",
  "/delete": "Delete",
  "/status": "Status",
  "/getLogs": "GetLogs",
  "/stats": "Stats",
  "/exec": "Exec",
  "/attach": "Attach",
  "/port-forward": "PortForward",
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
