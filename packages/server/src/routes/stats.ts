import { offers, ProtocolError, writeStatsAnswer } from "@interlink/protocol";
import type { FastifyInstance } from "fastify";
import { mayTouch } from "../auth/namespaces.ts";
import { callerSignal } from "../http/caller.ts";
import type { ServerContext } from "../options.ts";
import type { PluginOffers } from "../plugin/plugin-capabilities.ts";

/** `GET /stats`: what the plugin says now, read and written anew. */
export function statsRoute(
  app: FastifyInstance,
  context: ServerContext,
  capabilities: PluginOffers,
): void {
  app.get("/stats", async (request, reply) => {
    const signal = callerSignal(reply, context.cut);
    if (!offers(await capabilities.recent(signal), "stats")) {
      throw new ProtocolError("not-found", "the plugin offers no stats");
    }
    const answer = await context.plugin.stats({ signal, requestId: request.id });
    reply.type("application/json");
    const pods = answer.pods.filter(({ podRef }) => mayTouch(request.caller, podRef.namespace));
    return writeStatsAnswer({ ...answer, pods });
  });
}
