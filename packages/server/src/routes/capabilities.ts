import { writeCapabilities } from "@interlink/protocol";
import type { FastifyInstance } from "fastify";
import { callerSignal } from "../http/caller.ts";
import type { ServerContext } from "../options.ts";
import { type PluginOffers, serverCapabilities } from "../plugin/plugin-capabilities.ts";

/** `GET /capabilities`: what the plugin offers now, as far as this server hands it on. Plugin away: 502, not "none". */
export function capabilitiesRoute(
  app: FastifyInstance,
  context: ServerContext,
  capabilities: PluginOffers,
): void {
  app.get("/capabilities", async (_request, reply) => {
    const offered = await capabilities.ask(callerSignal(reply, context.cut));
    reply.type("application/json");
    return writeCapabilities(serverCapabilities(context.agent, offered));
  });
}
