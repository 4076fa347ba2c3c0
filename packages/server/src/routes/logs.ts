import { type LogRequest, offers, ProtocolError, readLogRequest } from "@interlink/protocol";
import type { FastifyInstance } from "fastify";
import { ANY_METHOD } from "../http/app.ts";
import { readBody } from "../http/body.ts";
import { callerSignal } from "../http/caller.ts";
import type { Streams } from "../http/streams.ts";
import type { ServerContext } from "../options.ts";
import type { PluginOffers } from "../plugin/plugin-capabilities.ts";

/** `GET /getLogs`: the plugin's bytes as they come; when the caller leaves, the plugin is told by a closed connection. */
export function logsRoute(
  app: FastifyInstance,
  context: ServerContext,
  capabilities: PluginOffers,
  streams: Streams,
): void {
  app.route({
    method: ANY_METHOD,
    url: "/getLogs",
    handler: async (request, reply) => {
      const asked = readBody(request, readLogRequest);
      const signal = callerSignal(reply, context.closing);
      const wanted = await forPlugin(asked, capabilities, signal);
      await streams.send(reply, {
        kind: "logs",
        signal,
        contentType: "text/plain; charset=utf-8",
        open: () => context.plugin.logs(wanted, { signal, requestId: request.id }),
        // Old plugins send their headers with the first line; `kubectl logs -f` must not wait for it.
        ...(wanted.Opts.Follow ? { headersAfterMs: context.limits.followHeadersMs } : {}),
      });
      return reply;
    },
  });
}

/** The request as this plugin understands it. Options of the extension are only used where they are offered. */
async function forPlugin(
  asked: LogRequest,
  capabilities: PluginOffers,
  signal: AbortSignal,
): Promise<LogRequest> {
  const { TailIsSet, ...base } = asked.Opts;
  const both = base.Tail !== 0 && base.Bytes !== 0;
  if (TailIsSet === undefined && base.Stream === undefined && !both) return asked;
  const offered = await capabilities.recent(signal, { uid: asked.PodUID });
  if (base.Stream !== undefined && !offers(offered, "log-streams")) {
    throw new ProtocolError(
      "invalid",
      `log request: Opts.Stream is ${base.Stream}, and this plugin keeps stdout and stderr as one log`,
    );
  }
  if (offers(offered, "log-options")) return asked;
  if (both) {
    throw new ProtocolError(
      "invalid",
      "log request: Opts.Tail and Opts.Bytes are both set, and this plugin takes only one of them",
    );
  }
  return { ...asked, Opts: base };
}
