import { offers, ProtocolError, readCreateRequest } from "@interlink/protocol";
import type { FastifyInstance } from "fastify";
import { retrievedPodData } from "../create/retrieved-pod-data.ts";
import { ANY_METHOD } from "../http/app.ts";
import { readBody } from "../http/body.ts";
import { callerSignal } from "../http/caller.ts";
import type { ServerContext } from "../options.ts";
import type { PluginOffers } from "../plugin/plugin-capabilities.ts";

/**
 * `POST /update` (feature `pod-updates`): the body of a create whose content has changed, judged and resolved like one,
 * handed to the plugin once. No job script is built: the job runs already.
 */
export function updateRoute(
  app: FastifyInstance,
  context: ServerContext,
  capabilities: PluginOffers,
): void {
  app.route({
    method: ANY_METHOD,
    url: "/update",
    bodyLimit: context.limits.createBytes,
    handler: async (request, reply) => {
      const wanted = readBody(request, readCreateRequest);
      const signal = callerSignal(reply, context.cut);
      const { uid = "" } = wanted.pod.metadata ?? {};
      const offered = await capabilities.recent(signal, { uid, pod: wanted.pod });
      if (!offers(offered, "pod-updates")) {
        throw new ProtocolError("not-found", "the plugin takes no updates of running pods");
      }
      await context.plugin.update(retrievedPodData(wanted, offered), {
        signal,
        requestId: request.id,
      });
      request.log.info("updated");
      reply.code(200).type("text/plain; charset=utf-8");
      return "updated";
    },
  });
}
