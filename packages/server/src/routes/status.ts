import { readStatusRequest, writeStatusAnswer } from "@interlink/protocol";
import type { FastifyInstance } from "fastify";
import { mayTouch } from "../auth/namespaces.ts";
import { ANY_METHOD } from "../http/app.ts";
import { readBody } from "../http/body.ts";
import { callerSignal } from "../http/caller.ts";
import type { ServerContext } from "../options.ts";
import type { StatusQuestions } from "../status/status-batcher.ts";

/**
 * `GET /status`: what the plugin says now about these pods, or its error; never what it said before. An empty
 * question has an empty answer. An answer's element of a pod not asked for does not leave here.
 */
export function statusRoute(
  app: FastifyInstance,
  context: ServerContext,
  batcher: StatusQuestions,
): void {
  app.route({
    method: ANY_METHOD,
    url: "/status",
    bodyLimit: context.limits.statusBytes,
    handler: async (request, reply) => {
      const pods = readBody(request, readStatusRequest);
      const statuses =
        pods.length === 0 ? [] : await batcher.ask(pods, callerSignal(reply, context.cut));
      reply.code(200).type("application/json");
      const visible = statuses.filter(({ namespace }) => mayTouch(request.caller, namespace));
      return writeStatusAnswer(visible);
    },
  });
}
