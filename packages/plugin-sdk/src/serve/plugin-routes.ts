import type { Capabilities, PingAnswer } from "@interlink/protocol";
import {
  EXTENSION_VERSION,
  REQUEST_ID_HEADER,
  readDeleteRequest,
  readLogRequest,
  readRetrievedPodData,
  readStatusRequest,
  readTraceContext,
  writeCapabilities,
  writeCreateAnswer,
  writeStatusAnswer,
} from "@interlink/protocol";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import type { Logger } from "pino";
import type { Provider } from "../provider.ts";
import { createAttributes, deleteAttributes, logCallAttributes } from "./call-attributes.ts";
import { callSignal, unlessAborted } from "./call-signal.ts";
import { traceOf, withTrace } from "./job-trace.ts";
import type { LogScope } from "./log-scope.ts";
import { writeLog } from "./log-stream.ts";
import type { PluginMetrics } from "./metrics.ts";
import type { CallDeadlines } from "./options.ts";
import { readBody } from "./read-body.ts";
import { tellAbout } from "./request-about.ts";
import { writeStatusStream } from "./status-stream.ts";

export interface PluginRoutesOptions {
  provider: Provider;
  logger: Logger;
  metrics: PluginMetrics;
  version?: string;
  bodyLimitBytes: number;
  deadlines: CallDeadlines;
  heartbeatMs: number;
  scope?: LogScope | undefined;
  /** Fires when the plugin closes; ends the streams. */
  closing: AbortSignal;
}

const JSON_TYPE = "application/json";
/** On the paths of the base protocol it is the path that decides: peers of different age use different methods. */
const ANY_METHOD = ["GET", "POST", "PUT", "PATCH", "DELETE"];
/** A follower of a silent log must not wait for its headers; who wants what is there waits for that anyway. */
const FOLLOW_HEADERS_AFTER_MS = 150;
const LOG_HEADERS_AFTER_MS = 10_000;

/** The interLink wire in front of a provider (interlink-wire-and-node 1.5, interlink-other-plugins 9). */
export function addPluginRoutes(app: FastifyInstance, options: PluginRoutesOptions): void {
  const { provider, deadlines, closing } = options;

  /** One bounded call of the provider. */
  const call = async <T>(
    reply: FastifyReply,
    deadlineMs: number,
    work: (signal: AbortSignal) => Promise<T>,
  ): Promise<T> => {
    using bounded = callSignal(reply.raw, { deadlineMs });
    return await unlessAborted(work(bounded.signal), bounded.signal);
  };
  const about = (request: FastifyRequest, message: unknown): void =>
    tellAbout(request, message, provider, options.scope);
  const body = (request: FastifyRequest, limit = options.bodyLimitBytes): Promise<unknown> =>
    readBody(request.raw, limit);

  app.route({
    method: ANY_METHOD,
    url: "/create",
    handler: async (request, reply) => {
      const given = readRetrievedPodData(await body(request));
      about(request, given);
      // A caller's trace is handed on to the job also where none is written here.
      const trace = request.callSpan?.trace ?? readTraceContext(request.headers);
      const data = withTrace(given, trace);
      // Only spans have attributes, and most sites have no spans.
      const { callSpan } = request;
      if (callSpan !== undefined) request.callAttributes = createAttributes(data, undefined);
      const answer = await call(reply, deadlines.create, (signal) => provider.create(data, signal));
      if (callSpan !== undefined) request.callAttributes = createAttributes(data, answer.PodJID);
      if (request.about !== undefined) request.about.job = answer.PodJID;
      options.logger.info({ requestId: request.id, ...request.about }, "created");
      return reply.type(JSON_TYPE).send(writeCreateAnswer(answer));
    },
  });

  if (provider.update !== undefined) {
    app.route({
      method: "POST",
      url: "/update",
      handler: async (request, reply) => {
        const given = readRetrievedPodData(await body(request));
        about(request, given);
        // The pod stays in the trace of its create.
        const created = provider.created?.(given.pod.metadata?.uid ?? "");
        const data = withTrace(given, created && traceOf(created.pod));
        await call(reply, deadlines.update, async (signal) => provider.update?.(data, signal));
        options.logger.info({ requestId: request.id, ...request.about }, "updated");
        const text = `Pod ${data.pod.metadata?.uid} is updated.`;
        return reply.type("text/plain; charset=utf-8").send(text);
      },
    });
  }

  app.route({
    method: ANY_METHOD,
    url: "/delete",
    handler: async (request, reply) => {
      const pod = readDeleteRequest(await body(request));
      about(request, pod);
      request.callAttributes = deleteAttributes(pod, request.about?.job);
      await call(reply, deadlines.delete, (signal) => provider.delete(pod, signal));
      options.logger.info({ requestId: request.id, ...request.about }, "delete taken on");
      const text = `Pod ${pod.metadata?.uid} is being deleted.`;
      return reply.type("text/plain; charset=utf-8").send(text);
    },
  });

  app.route({
    method: ANY_METHOD,
    url: "/status",
    handler: async (request, reply) => {
      const pods = readStatusRequest((await body(request, 4 * options.bodyLimitBytes)) ?? []);
      if (pods.length === 0) {
        const answer = await call(reply, deadlines.ping, (signal) => ping(provider, signal));
        return reply.type(JSON_TYPE).send(JSON.stringify(answer));
      }
      const statuses = await call(reply, deadlines.status, (signal) =>
        provider.status(pods, signal),
      );
      return reply.type(JSON_TYPE).send(writeStatusAnswer(statuses));
    },
  });

  app.route({
    method: ANY_METHOD,
    url: "/getLogs",
    handler: async (request, reply) => {
      const wanted = readLogRequest(await body(request));
      request.callAttributes = logCallAttributes(wanted);
      about(request, wanted);
      using caller = callSignal(reply.raw, { others: [closing] });
      await streaming(request, reply, options.logger, (headers) =>
        writeLog(reply.raw, headers, provider.logs(wanted, caller.signal), {
          headersAfterMs: wanted.Opts.Follow ? FOLLOW_HEADERS_AFTER_MS : LOG_HEADERS_AFTER_MS,
          signal: caller.signal,
        }),
      );
      return reply;
    },
  });

  app.route({
    method: "GET",
    url: "/status/stream",
    handler: async (request, reply) => {
      using caller = callSignal(reply.raw, { others: [closing] });
      await streaming(request, reply, options.logger, (headers) =>
        writeStatusStream(reply.raw, headers, {
          provider,
          metrics: options.metrics,
          heartbeatMs: options.heartbeatMs,
          deadlineMs: deadlines.status,
          signal: caller.signal,
        }),
      );
      return reply;
    },
  });

  app.get("/capabilities", async (_request, reply) =>
    reply.type(JSON_TYPE).send(writeCapabilities(capabilities(provider, options.version))),
  );

  app.get("/healthz", async () => "ok");

  app.get("/readyz", async (_request, reply) => {
    await call(reply, deadlines.ping, (signal) => ping(provider, signal));
    return "ok";
  });

  app.get("/metrics", async (_request, reply) => {
    const { registry } = options.metrics;
    return reply.type(registry.contentType).send(await registry.metrics());
  });
}

/**
 * A handler that writes to the socket itself. Before the headers are out an error is answered as usual; after that the
 * connection is cut, which tells the reader that something is missing.
 */
async function streaming(
  request: FastifyRequest,
  reply: FastifyReply,
  logger: Logger,
  write: (headers: Record<string, string>) => Promise<void>,
): Promise<void> {
  try {
    await write({ [REQUEST_ID_HEADER]: request.id });
  } catch (error) {
    if (!reply.raw.headersSent && !reply.raw.destroyed) throw error;
    if (!reply.raw.destroyed) {
      const line = { requestId: request.id, ...request.about, path: request.routeOptions.url };
      logger.warn({ ...line, err: error }, "a stream ended early");
      reply.raw.destroy();
    }
  }
  reply.hijack();
}

async function ping(provider: Provider, signal: AbortSignal): Promise<PingAnswer> {
  return (await provider.ping?.(signal)) ?? { status: "ok" };
}

function capabilities(provider: Provider, version: string | undefined): Capabilities {
  return {
    protocol: "interlink",
    version: EXTENSION_VERSION,
    agent: version === undefined ? `plugin-${provider.name}` : `plugin-${provider.name} ${version}`,
    features: [...provider.features],
    runtime: provider.name,
  };
}
