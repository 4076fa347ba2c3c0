import { readDeleteRequest } from "@interlink/protocol";
import type { FastifyInstance } from "fastify";
import { ANY_METHOD } from "../http/app.ts";
import { readBody } from "../http/body.ts";
import type { ServerContext } from "../options.ts";
import type { LastSeen } from "../status/last-seen.ts";

/**
 * `DELETE /delete`, handed to the plugin as POST. It goes on when the caller leaves: Go virtual nodes ask once and
 * never again, and a deletion that half arrived is a leaked job.
 */
export function deleteRoute(app: FastifyInstance, context: ServerContext, seen: LastSeen): void {
  app.route({
    method: ANY_METHOD,
    url: "/delete",
    bodyLimit: context.limits.createBytes,
    handler: async (request, reply) => {
      const pod = readBody(request, readDeleteRequest);
      const { uid = "" } = pod.metadata ?? {};
      context.checkpoint("server.delete.before-plugin");
      await context.plugin.delete(pod, { signal: context.cut, requestId: request.id });
      context.checkpoint("server.delete.after-plugin");
      seen.forget(uid);
      request.log.info("deletion handed to the plugin");
      reply.code(200).type("text/plain; charset=utf-8");
      return "deletion accepted";
    },
  });
}
