import { randomUUID } from "node:crypto";
import { once, setMaxListeners } from "node:events";
import { rm } from "node:fs/promises";
import {
  certificateSubject,
  createUpgrades,
  isRequestId,
  REQUEST_ID_HEADER,
  Repeats,
  type Upgrades,
} from "@interlink/protocol";
import type { FastifyInstance, FastifyReply } from "fastify";
import { fastify } from "fastify";
import { PluginError } from "../plugin-error.ts";
import type { Provider } from "../provider.ts";
import { CallCount } from "./call-count.ts";
import { errorAnswer } from "./error-answer.ts";
import { createHttpServer } from "./http-server.ts";
import { addInteractiveRoutes } from "./interactive-routes.ts";
import { JobSpans } from "./job-spans.ts";
import { listenOn } from "./listen.ts";
import type { PluginMetrics } from "./metrics.ts";
import { createPluginMetrics } from "./metrics.ts";
import type { RunningPlugin, ServePluginOptions } from "./options.ts";
import { DEFAULT_CALL_DEADLINES } from "./options.ts";
import { addPluginRoutes } from "./plugin-routes.ts";
import { scopeCalls } from "./request-about.ts";
import { traceCalls } from "./tracing.ts";

/** What an API server lets in, and room for objects that it repeats per mount. */
const DEFAULT_BODY_LIMIT = 32 * 1024 * 1024;
const DEFAULT_HEARTBEAT_MS = 9_000;
const DEFAULT_DRAIN_MS = 10_000;
const WITHOUT_AUTHENTICATION: ReadonlySet<string> = new Set(["/healthz", "/readyz", "/metrics"]);
const REFUSALS_EVERY_MS = 60_000;
/** Their length is their reader's. */
const STREAMS: ReadonlySet<string> = new Set(["/status/stream", "/getLogs"]);
const DEFAULT_INTERACTIVE_STREAMS = 500;
/** For a stream's other side to say goodbye. */
const STREAM_CLOSE_MS = 2_000;

/**
 * Put the interLink wire in front of a provider: `provider.start`, then listen. Everything that reaches the provider
 * has been validated; malformed requests are answered with 4xx and a sentence. Throws what `provider.start` throws, and
 * `PluginError` when the address cannot be listened on or the provider contradicts itself; the provider is closed then.
 */
export async function servePlugin(
  provider: Provider,
  options: ServePluginOptions,
): Promise<RunningPlugin> {
  if (provider.features.includes("status-stream") && provider.subscribe === undefined) {
    throw new PluginError(
      "invalid",
      `The provider ${provider.name} offers "status-stream" but has no subscribe().`,
    );
  }
  options.scope?.knows((uid) => provider.aboutPod?.(uid));
  const metrics = createPluginMetrics(options.registry);
  const closing = new AbortController();
  // One listener for every call under way: many are normal, and no leak that Node should warn of.
  setMaxListeners(0, closing.signal);
  const calls = new CallCount();
  const app = createApp(options, metrics, calls);
  const upgrades = createUpgrades(app.server, (request, response) => {
    app.routing(request, response);
  });
  const deadlines = { ...DEFAULT_CALL_DEADLINES, ...options.deadlines };
  addInteractiveRoutes(app, {
    provider,
    upgrades,
    logger: options.logger,
    scope: options.scope,
    metrics,
    deadlineMs: deadlines,
    limit: options.interactiveStreams ?? DEFAULT_INTERACTIVE_STREAMS,
    closing: closing.signal,
  });
  const jobSpans =
    options.tracer === undefined ? undefined : new JobSpans(options.tracer, provider, Date.now());
  const stopJobSpans =
    jobSpans === undefined
      ? undefined
      : provider.subscribe?.({
          status: (status) => jobSpans.saw(status),
          gone: ({ UID }) => jobSpans.forget(UID),
          event: () => {},
        });
  addPluginRoutes(app, {
    provider,
    logger: options.logger,
    scope: options.scope,
    metrics,
    ...(options.version !== undefined && { version: options.version }),
    bodyLimitBytes: options.bodyLimitBytes ?? DEFAULT_BODY_LIMIT,
    deadlines,
    heartbeatMs: options.heartbeatMs ?? DEFAULT_HEARTBEAT_MS,
    closing: closing.signal,
  });
  let address: string;
  try {
    await provider.start?.(options.signal ?? new AbortController().signal);
    await app.ready();
    address = await listenOn(app.server, options.listen);
  } catch (error) {
    await provider.close?.().catch((err: unknown) => {
      options.logger.warn({ err }, "the provider did not close");
    });
    throw error;
  }
  options.logger.info({ address, provider: provider.name }, "plugin is listening");
  let closed: Promise<void> | undefined;
  const close = (): Promise<void> => {
    stopJobSpans?.();
    closed ??= closeAll({ app, provider, upgrades, calls, closing }, options);
    return closed;
  };
  return { address, close, [Symbol.asyncDispose]: close };
}

function createApp(
  { listen, logger, authenticate, tracer, scope }: ServePluginOptions,
  metrics: PluginMetrics,
  calls: CallCount,
): FastifyInstance {
  const refusals = new Repeats(REFUSALS_EVERY_MS, () => performance.now());
  const app = fastify({
    logger: false,
    exposeHeadRoutes: false,
    serverFactory: (handler) => createHttpServer(listen, handler),
    frameworkErrors: (error, request, reply: FastifyReply) => {
      const { status, text } = errorAnswer(error, request.id);
      void reply.code(status).type("text/plain; charset=utf-8").send(text);
    },
    genReqId: ({ headers }) => {
      const given = headers[REQUEST_ID_HEADER];
      return typeof given === "string" && isRequestId(given) ? given : `Request-${randomUUID()}`;
    },
  });
  app.decorateRequest("callAttributes", undefined);
  app.decorateRequest("about", undefined);
  if (tracer !== undefined) traceCalls(app, tracer);
  if (scope !== undefined) scopeCalls(app, scope);
  // Bodies are read by the handlers, because GET has one here and fastify would not read it.
  app.removeAllContentTypeParsers();
  app.addContentTypeParser("*", (_request, _payload, done) => done(null));
  app.addHook("onRequest", async (request, reply) => {
    void reply.header(REQUEST_ID_HEADER, request.id);
    calls.begin();
    reply.raw.once("close", () => calls.end());
    const path = request.routeOptions.url ?? "";
    if (authenticate === undefined || WITHOUT_AUTHENTICATION.has(path)) return;
    const subject = certificateSubject(request.raw);
    await authenticate({
      method: request.method,
      path,
      headers: request.headers,
      ...(subject !== undefined && { certificateSubject: subject }),
    });
  });
  app.addHook("onResponse", async (request, reply) => {
    const operation = request.routeOptions.url ?? "unknown";
    const { statusCode } = reply.raw;
    if (!STREAMS.has(operation)) {
      metrics.answered(operation, statusCode, reply.elapsedTime / 1000);
    }
    const line = {
      requestId: request.id,
      ...request.about,
      method: request.method,
      path: operation,
      status: statusCode,
    };
    logger.debug({ ...line, milliseconds: Math.round(reply.elapsedTime) }, "answered");
  });
  app.setErrorHandler(async (error, request, reply) => {
    const { status, text, unexpected } = errorAnswer(error, request.id);
    const about = {
      requestId: request.id,
      ...request.about,
      method: request.method,
      path: request.routeOptions.url,
      status,
    };
    if (unexpected) logger.error({ ...about, err: error }, "a call failed unexpectedly");
    else if (![401, 403, 404].includes(status)) {
      logger.info({ ...about, reason: text }, "a call was refused");
    } else {
      // Strangers can ask for these as often as they like; a line each would bury the others.
      const before = refusals.count(`${status} ${request.routeOptions.url} ${request.ip} ${text}`);
      const line = { ...about, from: request.ip, reason: text };
      if (before === undefined) logger.debug(line, "a call was refused");
      else logger.warn({ ...line, before }, "a call was refused");
    }
    return reply.code(status).type("text/plain; charset=utf-8").send(text);
  });
  app.setNotFoundHandler(async (request, reply) => {
    const known = app.hasRoute({ url: pathOf(request.url), method: "GET" });
    const other = app.hasRoute({ url: pathOf(request.url), method: "POST" });
    const text =
      known || other
        ? `${request.method} is not a method of this path.`
        : "There is nothing at this path. A plugin answers to /create, /delete, /status, /getLogs and /capabilities.";
    return reply
      .code(known || other ? 405 : 404)
      .type("text/plain; charset=utf-8")
      .send(text);
  });
  return app;
}

function pathOf(url: string): string {
  return url.split("?", 1)[0] ?? url;
}

/** Order: no new connections, streams end, calls under way finish or are cut off, the provider lets go. */
async function closeAll(
  {
    app,
    provider,
    upgrades,
    calls,
    closing,
  }: {
    app: FastifyInstance;
    provider: Provider;
    upgrades: Upgrades;
    calls: CallCount;
    closing: AbortController;
  },
  options: ServePluginOptions,
): Promise<void> {
  const { server } = app;
  const closed = once(server, "close");
  server.close();
  closing.abort(new PluginError("unavailable", "The plugin is shutting down."));
  await upgrades.close(STREAM_CLOSE_MS);
  await calls.none(options.drainMs ?? DEFAULT_DRAIN_MS);
  server.closeAllConnections();
  await closed;
  if ("unixSocket" in options.listen) await rm(options.listen.unixSocket, { force: true });
  await app.close();
  await provider.close?.();
  options.logger.info("plugin has stopped");
}
