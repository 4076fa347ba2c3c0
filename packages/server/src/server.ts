import {
  createInterlinkClient,
  createUpgrades,
  type InterlinkClient,
  ProtocolError,
  RateLimit,
  type StatusStreamRecord,
} from "@interlink/protocol";
import type { Pod } from "kubernetes-types/core/v1.js";
import { Registry } from "prom-client";
import { guardNamespaces } from "./auth/namespace-guard.ts";
import { PodNamespaces } from "./auth/pod-namespaces.ts";
import { nameThePods } from "./http/about-pod.ts";
import { createApp } from "./http/app.ts";
import { callerSignal } from "./http/caller.ts";
import { listenOn } from "./http/listen.ts";
import { Streams } from "./http/streams.ts";
import { createMetrics } from "./observe/metrics.ts";
import { DEFAULT_LIMITS, type ServerContext, type ServerOptions } from "./options.ts";
import { PluginCapabilities, type PluginOffers } from "./plugin/plugin-capabilities.ts";
import { registerPluginMetrics } from "./plugin/several/plugin-metrics.ts";
import { SeveralPlugins } from "./plugin/several/several-plugins.ts";
import { capabilitiesRoute } from "./routes/capabilities.ts";
import { createRoute } from "./routes/create.ts";
import { deleteRoute } from "./routes/delete.ts";
import { healthRoutes } from "./routes/health.ts";
import { interactiveRoutes } from "./routes/interactive.ts";
import { logsRoute } from "./routes/logs.ts";
import { oldCallsRoutes } from "./routes/old-calls.ts";
import { pingRoute } from "./routes/ping.ts";
import { statsRoute } from "./routes/stats.ts";
import { statusRoute } from "./routes/status.ts";
import { statusStreamRoute } from "./routes/status-stream.ts";
import { updateRoute } from "./routes/update.ts";
import { updateCacheRoute } from "./routes/update-cache.ts";
import { askPlugin } from "./status/ask-plugin.ts";
import { LastSeen } from "./status/last-seen.ts";
import { type AskStatus, StatusBatcher, type StatusQuestions } from "./status/status-batcher.ts";

/** An API server that listens. */
export interface RunningServer extends AsyncDisposable {
  /** `http://host:port`, `https://host:port` or `unix:///path`, with the port that was really taken. */
  readonly address: string;
  /** Stops accepting, ends streams, lets requests in work finish (bounded), then lets go of everything. Idempotent. */
  close(): Promise<void>;
}

/** Builds the parts, hands them to each other, listens. Throws when it cannot listen. */
export async function startServer(options: ServerOptions): Promise<RunningServer> {
  const { logger } = options;
  const closing = new AbortController();
  const cut = new AbortController();
  const now = (): number => Date.now();
  const registry = options.registry ?? new Registry();
  const limits = { ...DEFAULT_LIMITS, ...options.limits };
  const seen = new LastSeen((status, from, to) =>
    logger.info(
      { pod: `${status.namespace}/${status.name}`, uid: status.UID, job: status.JID, from, to },
      "pod changed",
    ),
  );
  const metrics = createMetrics(registry, seen, now);
  const askStatus =
    (client: InterlinkClient, offers: PluginOffers): AskStatus =>
    async (pods, signal) => {
      const answersLists = (await offers.recent(signal)) !== undefined;
      const statuses = await askPlugin(client, pods, answersLists, signal);
      metrics.pluginAnswered();
      for (const status of statuses) seen.saw(status);
      return statuses;
    };
  const onBatch = (questions: number, pods: number): void => metrics.batchAsked(questions, pods);
  const several =
    "plugins" in options.plugin
      ? await SeveralPlugins.open(options.plugin, {
          logger,
          limits,
          now: () => performance.now(),
          ask: askStatus,
          onBatch,
        })
      : undefined;
  if (several !== undefined) registerPluginMetrics(registry, several);
  const { plugin, release } = pluginOf(options.plugin, several);
  const context: ServerContext = {
    plugin,
    logger,
    limits,
    agent: options.agent ?? "interlink-server",
    jobScriptBuilder: options.jobScriptBuilder,
    checkpoint: options.checkpoint ?? (() => {}),
    closing: closing.signal,
    cut: cut.signal,
  };

  const podNamespaces = new PodNamespaces();
  const capabilities = several?.capabilities ?? new PluginCapabilities(plugin, now);
  const batcher = several?.batcher ?? new StatusBatcher(askStatus(plugin, capabilities), onBatch);
  const heard = (record: StatusStreamRecord): void => {
    metrics.pluginAnswered();
    if (record.type === "status") {
      seen.saw(record.status);
      podNamespaces.learn(record.status.UID, record.status.namespace);
    } else if (record.type === "gone") {
      seen.forget(record.UID);
      podNamespaces.forget(record.UID);
    }
  };
  const streams = new Streams(context.limits.streams, metrics);

  const app = createApp(context, options.listen, metrics, {
    tracer: options.tracer,
    several,
    authenticate: options.authenticate,
    rateLimit:
      options.rateLimit === undefined
        ? undefined
        : new RateLimit({ ...options.rateLimit, now: () => performance.now() }),
  });
  nameThePods(app, logger, (uid) => seen.jobOf(uid));
  const upgrades = createUpgrades(app.server, (request, response) => {
    app.routing(request, response);
  });
  guardNamespaces(app, {
    pods: podNamespaces,
    ask: (pod, reply) => namespaceAtPlugin(batcher, pod, callerSignal(reply, cut.signal)),
  });
  createRoute(app, context, capabilities, seen);
  updateRoute(app, context, capabilities);
  deleteRoute(app, context, seen);
  statusRoute(app, context, batcher);
  logsRoute(app, context, capabilities, streams);
  pingRoute(app, context);
  updateCacheRoute(app, seen);
  oldCallsRoutes(app);
  capabilitiesRoute(app, context, capabilities);
  statusStreamRoute(app, context, capabilities, streams, heard);
  interactiveRoutes(app, { context, capabilities, upgrades, streams });
  statsRoute(app, context, capabilities);
  healthRoutes(app, context, metrics);

  async function stop(): Promise<void> {
    closing.abort();
    const timer = setTimeout(() => {
      cut.abort();
      app.server.closeAllConnections();
    }, context.limits.closeMs);
    try {
      await Promise.all([upgrades.close(), app.close()]);
    } finally {
      clearTimeout(timer);
      cut.abort();
      await release();
    }
  }
  let stopped: Promise<void> | undefined;
  const close = (): Promise<void> => (stopped ??= stop());

  try {
    const address = await listenOn(app, options.listen);
    logger.info({ address }, "API server listens");
    return { address, close, [Symbol.asyncDispose]: close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** The client to the plugin, and how to let go of it: one that was handed in belongs to who made it. */
function pluginOf(
  plugin: ServerOptions["plugin"],
  several: SeveralPlugins | undefined,
): { plugin: InterlinkClient; release: () => Promise<void> } {
  if (several !== undefined) {
    return { plugin: several.client, release: () => several[Symbol.asyncDispose]() };
  }
  if ("plugins" in plugin) throw new Error("several plugins were not opened");
  if ("create" in plugin) return { plugin, release: async () => {} };
  const client = createInterlinkClient({ ...plugin, peer: "plugin" });
  return { plugin: client, release: () => client.close() };
}

/** Where the plugin says that a pod is; `undefined` when it answers, and knows no such pod. */
async function namespaceAtPlugin(
  batcher: StatusQuestions,
  pod: Pod,
  signal: AbortSignal,
): Promise<string | undefined> {
  const uid = pod.metadata?.uid;
  try {
    return (await batcher.ask([pod], signal)).find(({ UID }) => UID === uid)?.namespace;
  } catch (error) {
    // Old plugins answer 500 about a pod that they do not know.
    if (error instanceof ProtocolError && error.code === "refused") return undefined;
    throw error;
  }
}
