import type { Logger } from "pino";
import type { Registry } from "prom-client";
import { aboutError } from "../pods/about-record.ts";
import type { KubeletBackend, NodeFacts } from "./backend.ts";
import { KubeletError } from "./kubelet-error.ts";
import { type App, queryOf } from "./routes.ts";
import { cadvisorMetrics } from "./stats/cadvisor-metrics.ts";
import { NodeUsageMeter } from "./stats/node-usage.ts";
import { resourceMetrics } from "./stats/resource-metrics.ts";
import { SharedAnswer } from "./stats/shared-answer.ts";
import { summary } from "./stats/summary.ts";
import type { Usage } from "./stats/usage.ts";

export interface StatsRoutesOptions {
  backend: KubeletBackend;
  node: NodeFacts;
  metrics: Registry;
  /** For which an answer of the site serves all who ask, milliseconds. */
  keptMs: number;
  logger: Logger;
}

const SITE_MS = 10_000;
const METRICS_TYPE = "text/plain; version=0.0.4; charset=utf-8";

/** `/stats/summary`, `/metrics…`, `/configz`: what is used, from one question to the site for all who ask. */
export function statsRoutes(app: App, options: StatsRoutesOptions): void {
  const { backend, node, metrics, keptMs, logger } = options;
  const meter = new NodeUsageMeter();
  const shared = new SharedAnswer<Usage>(
    async () => {
      const told = await backend.stats(AbortSignal.timeout(SITE_MS));
      if (told === undefined) return { node: {}, pods: [] };
      const { pods } = told;
      return {
        node: meter.measure(
          told.node,
          pods.map(({ stats }) => stats),
        ),
        pods,
      };
    },
    keptMs,
    () => performance.now(),
  );
  /** Scrapers learn of a failure from the metrics themselves. */
  const usageOrNone = async (): Promise<Usage | undefined> => {
    try {
      return await shared.get();
    } catch (error) {
      logger.warn(aboutError(error), "the site does not tell what its pods use");
      return undefined;
    }
  };

  /** People and old metrics-servers do not. */
  const usageOrRefusal = async (): Promise<Usage> => {
    try {
      return await shared.get();
    } catch (cause) {
      const words = `the site does not tell what its pods use: ${KubeletError.from(cause).message}`;
      throw new KubeletError("unavailable", words, { cause });
    }
  };
  for (const path of ["/stats/summary", "/stats/summary/"]) {
    app.get(path, async (request, reply) => {
      const only = queryOf(request).get("only_cpu_and_memory");
      const isOnly = only !== null && only !== "false" && only !== "0";
      return reply.send(summary(node, await usageOrRefusal(), isOnly));
    });
  }
  app.get("/metrics", async (_request, reply) =>
    reply.type(metrics.contentType).send(await metrics.metrics()),
  );
  app.get("/metrics/resource", async (_request, reply) =>
    reply.type(METRICS_TYPE).send(resourceMetrics(await usageOrNone())),
  );
  app.get("/metrics/cadvisor", async (_request, reply) =>
    reply.type(METRICS_TYPE).send(cadvisorMetrics(await usageOrNone(), node.capacity())),
  );
  // Probes are run at the site.
  app.get("/metrics/probes", async (_request, reply) => reply.type(METRICS_TYPE).send(""));
  app.get("/configz", async () => ({
    kubeletconfig: {
      kind: "KubeletConfiguration",
      apiVersion: "kubelet.config.k8s.io/v1beta1",
      maxPods: Number(node.capacity()["pods"] ?? 0),
      authentication: { anonymous: { enabled: false }, webhook: { enabled: true } },
      authorization: { mode: "Webhook" },
    },
  }));
}
