import {
  type InteractiveRequest,
  offers,
  ProtocolError,
  readAttachQuery,
  readExecQuery,
  readPortForwardQuery,
  relay,
  type Upgrades,
} from "@interlink/protocol";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { callerSignal } from "../http/caller.ts";
import type { Streams } from "../http/streams.ts";
import type { ServerContext } from "../options.ts";
import type { PluginOffers } from "../plugin/plugin-capabilities.ts";

/** What the routes of interactive streams need. */
export interface InteractiveParts {
  context: ServerContext;
  capabilities: PluginOffers;
  upgrades: Upgrades;
  streams: Streams;
}

/**
 * `/exec`, `/attach` and `/port-forward`: the plugin is asked first, so that its refusal is an ordinary answer; then
 * the messages go both ways as they are.
 */
export function interactiveRoutes(app: FastifyInstance, parts: InteractiveParts): void {
  app.get("/exec", async (request, reply) =>
    join(parts, request, reply, () => ({ type: "exec", request: readExecQuery(request.url) })),
  );
  app.get("/attach", async (request, reply) =>
    join(parts, request, reply, () => ({ type: "attach", request: readAttachQuery(request.url) })),
  );
  app.get("/port-forward", async (request, reply) =>
    join(parts, request, reply, () => ({
      type: "port-forward",
      request: readPortForwardQuery(request.url),
    })),
  );
}

async function join(
  { context, capabilities, upgrades, streams }: InteractiveParts,
  request: FastifyRequest,
  reply: FastifyReply,
  read: () => InteractiveRequest,
): Promise<FastifyReply> {
  const wanted = read();
  // For the lines and the span of this request.
  request.message = { read, value: wanted.request };
  request.concerns(wanted.request);
  upgrades.check(request.raw);
  const signal = callerSignal(reply, context.closing);
  if (!offers(await capabilities.recent(signal, { uid: wanted.request.PodUID }), wanted.type)) {
    throw new ProtocolError("not-found", `the plugin offers no ${wanted.type}`);
  }
  await streams.carry(wanted.type, async () => {
    const callee = await context.plugin.openStream(wanted, { signal, requestId: request.id });
    try {
      reply.hijack();
      const caller = await upgrades.accept(request.raw, request.id);
      request.log.debug({ path: request.routeOptions.url }, "stream began");
      const { code, reason } = await relay(caller, callee);
      request.log.debug({ path: request.routeOptions.url, code, reason }, "stream ended");
    } catch (error) {
      request.log.info({ err: error, path: request.routeOptions.url }, "stream cut");
      callee.destroy();
    }
  });
  return reply;
}
