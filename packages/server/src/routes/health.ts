import { httpStatusOf, ProtocolError } from "@interlink/protocol";
import type { FastifyInstance } from "fastify";
import { callerSignal } from "../http/caller.ts";
import type { ServerMetrics } from "../observe/metrics.ts";
import type { ServerContext } from "../options.ts";

const READY_MS = 5_000;

/** `/healthz`: the process answers. `/readyz`: so does the plugin; if not, why. `/metrics`. */
export function healthRoutes(
  app: FastifyInstance,
  context: ServerContext,
  metrics: ServerMetrics,
): void {
  app.get("/healthz", async (_request, reply) => {
    reply.type("text/plain; charset=utf-8");
    return "ok";
  });

  app.get("/readyz", async (request, reply) => {
    reply.type("text/plain; charset=utf-8");
    try {
      await context.plugin.ping({
        signal: callerSignal(reply, context.closing),
        timeoutMs: READY_MS,
        requestId: request.id,
      });
      return "ok";
    } catch (thrown) {
      const error = ProtocolError.from(thrown);
      reply.code(503);
      return context.closing.aborted
        ? "the API server is stopping"
        : `the plugin does not answer (HTTP ${httpStatusOf(error)}): ${error.message}`;
    }
  });

  app.get("/metrics", async (_request, reply) => {
    reply.type(metrics.contentType);
    return metrics.text();
  });
}
