import type { AttachRequest, Feature, MessageSocket, Upgrades } from "@interlink/protocol";
import {
  podAttributes,
  readAttachQuery,
  readExecQuery,
  readPortForwardQuery,
  servePort,
  serveProcess,
  writeStatsAnswer,
} from "@interlink/protocol";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import type { Logger } from "pino";
import { PluginError } from "../plugin-error.ts";
import type { Provider } from "../provider.ts";
import { callSignal, unlessAborted } from "./call-signal.ts";
import type { LogScope } from "./log-scope.ts";
import type { InteractiveKind, PluginMetrics } from "./metrics.ts";
import { tellAbout } from "./request-about.ts";

export interface InteractiveRoutesOptions {
  provider: Provider;
  upgrades: Upgrades;
  logger: Logger;
  scope?: LogScope | undefined;
  metrics: PluginMetrics;
  /** Until a stream has begun, and for the statistics, in milliseconds. */
  deadlineMs: { open: number; stats: number };
  /** Streams open at the same time. */
  limit: number;
  /** Fires when the plugin closes; ends the streams. */
  closing: AbortSignal;
}

type PodOfStream = Pick<AttachRequest, "Namespace" | "PodName" | "PodUID">;

/** A stream that has begun at the provider. */
interface Begun {
  /** Carries it until both have ended. */
  carry(socket: MessageSocket): Promise<void>;
  /** Nobody wants it any more. */
  letGo(): void;
}

/** `/exec`, `/attach`, `/port-forward` and `/stats` in front of a provider that offers them. */
export function addInteractiveRoutes(
  app: FastifyInstance,
  options: InteractiveRoutesOptions,
): void {
  const { provider, upgrades, closing, metrics, logger, deadlineMs } = options;
  let open = 0;

  /** Refusals are ordinary HTTP answers; the upgrade is accepted when the stream has begun. */
  const stream = async (
    kind: InteractiveKind,
    wanted: PodOfStream,
    request: FastifyRequest,
    reply: FastifyReply,
    begin: (signal: AbortSignal) => Promise<Begun>,
  ): Promise<void> => {
    tellAbout(request, wanted, provider, options.scope);
    const { about } = request;
    request.callAttributes = podAttributes(wanted);
    upgrades.check(request.raw);
    if (open >= options.limit) {
      throw new PluginError(
        "unavailable",
        `Already ${options.limit} streams are open here. Close some, or try later.`,
      );
    }
    open += 1;
    metrics.interactiveOpened(kind);
    const started = performance.now();
    // Reaches the provider for as long as the stream lasts; the deadline only until it has begun.
    const ended = new AbortController();
    try {
      const begun = await beginInTime(begin, reply, ended);
      reply.hijack();
      let socket: MessageSocket;
      try {
        socket = await upgrades.accept(request.raw, request.id);
      } catch (error) {
        begun.letGo();
        throw error;
      }
      metrics.answered(`/${kind}`, 101, (performance.now() - started) / 1000);
      logger.info({ requestId: request.id, ...about, kind }, "a stream has begun");
      await begun.carry(socket);
      logger.info({ requestId: request.id, ...about, kind }, "a stream has ended");
    } catch (error) {
      // After the upgrade there is no answer left to give.
      if (!reply.sent) throw error;
      logger.info({ requestId: request.id, ...about, kind, err: error }, "a stream did not begin");
    } finally {
      ended.abort(new PluginError("unavailable", "The stream has ended."));
      open -= 1;
      metrics.interactiveClosed(kind);
    }
  };

  const beginInTime = async (
    begin: (signal: AbortSignal) => Promise<Begun>,
    reply: FastifyReply,
    ended: AbortController,
  ): Promise<Begun> => {
    using opening = callSignal(reply.raw, { deadlineMs: deadlineMs.open, others: [closing] });
    const giveUp = (): void => ended.abort(opening.signal.reason);
    opening.signal.addEventListener("abort", giveUp);
    const beginning = begin(ended.signal);
    try {
      return await unlessAborted(beginning, opening.signal);
    } catch (error) {
      // It may still begin, with nobody there.
      beginning.then(
        (late) => late.letGo(),
        () => undefined,
      );
      throw error;
    } finally {
      opening.signal.removeEventListener("abort", giveUp);
    }
  };

  const process = async (opening: Promise<Awaited<ReturnType<NonNullable<Provider["exec"]>>>>) => {
    const streams = await opening;
    return {
      carry: (socket: MessageSocket) => serveProcess(socket, streams),
      letGo: () => streams.close(),
    };
  };

  app.get("/exec", async (request, reply) => {
    const wanted = readExecQuery(request.url);
    const exec = offered(provider, "exec");
    await stream("exec", wanted, request, reply, (signal) =>
      process(exec.call(provider, wanted, signal)),
    );
    return reply;
  });

  app.get("/attach", async (request, reply) => {
    const wanted = readAttachQuery(request.url);
    const attach = offered(provider, "attach");
    await stream("attach", wanted, request, reply, (signal) =>
      process(attach.call(provider, wanted, signal)),
    );
    return reply;
  });

  app.get("/port-forward", async (request, reply) => {
    const wanted = readPortForwardQuery(request.url);
    const portForward = offered(provider, "portForward");
    await stream("port-forward", wanted, request, reply, async (signal) => {
      const connection = await portForward.call(provider, wanted, signal);
      return {
        carry: (socket) => servePort(socket, connection),
        letGo: () => connection.destroy(),
      };
    });
    return reply;
  });

  app.get("/stats", async (_request, reply) => {
    const stats = offered(provider, "stats");
    using bounded = callSignal(reply.raw, { deadlineMs: deadlineMs.stats });
    const answer = await unlessAborted(stats.call(provider, bounded.signal), bounded.signal);
    return reply.type("application/json").send(writeStatsAnswer(answer));
  });
}

const FEATURE_OF = {
  exec: "exec",
  attach: "attach",
  portForward: "port-forward",
  stats: "stats",
} as const satisfies Record<string, Feature>;

/** Throws `PluginError` `not-found` if the provider does not offer it. */
function offered<K extends keyof typeof FEATURE_OF>(
  provider: Provider,
  method: K,
): NonNullable<Provider[K]> {
  const found: Provider[K] = provider[method];
  if (found !== undefined && provider.features.includes(FEATURE_OF[method])) return found;
  throw new PluginError(
    "not-found",
    `The plugin ${provider.name} offers no ${FEATURE_OF[method]}.`,
  );
}
