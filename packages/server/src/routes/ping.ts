import type { FastifyInstance } from "fastify";
import { ANY_METHOD } from "../http/app.ts";
import { callerSignal } from "../http/caller.ts";
import type { ServerContext } from "../options.ts";

/** `POST /pinglink`: `GET /status` with `[]` to the plugin, its body handed on as it is. Any body sent is ignored. */
export function pingRoute(app: FastifyInstance, context: ServerContext): void {
  app.route({
    method: ANY_METHOD,
    url: "/pinglink",
    handler: async (request, reply) => {
      const signal = callerSignal(reply, context.cut);
      const { raw, answer } = await context.plugin.ping({ signal, requestId: request.id });
      reply.code(200).type(answer === undefined ? "text/plain; charset=utf-8" : "application/json");
      // Old plugins answer with their pods, of all namespaces.
      return request.caller?.namespaces !== undefined && answer === undefined ? "ok" : raw;
    },
  });
}
