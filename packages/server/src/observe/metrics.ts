import { Counter, Gauge, Histogram, type Registry } from "prom-client";
import { type LastSeen, POD_STATES } from "../status/last-seen.ts";

export type StreamKind = "logs" | "status" | "exec" | "attach" | "port-forward";

/** The server's metrics, all in one registry. */
export interface ServerMetrics {
  requestDone(operation: string, code: number, seconds: number): void;
  batchAsked(questions: number, pods: number): void;
  /** The plugin has just answered a status question or told something on a stream. */
  pluginAnswered(): void;
  streamOpened(kind: StreamKind): void;
  streamClosed(kind: StreamKind): void;
  text(): Promise<string>;
  readonly contentType: string;
}

/** `now` in milliseconds. */
export function createMetrics(
  registry: Registry,
  lastSeen: LastSeen,
  now: () => number,
): ServerMetrics {
  const registers = [registry];
  const requests = new Counter({
    name: "interlink_server_requests_total",
    help: "Requests answered, by operation and HTTP status",
    labelNames: ["operation", "code"] as const,
    registers,
  });
  const duration = new Histogram({
    name: "interlink_server_request_duration_seconds",
    help: "Time from a request's headers to the end of its answer; streams are not counted",
    labelNames: ["operation"] as const,
    buckets: [0.001, 0.005, 0.02, 0.1, 0.5, 2, 10, 60],
    registers,
  });
  const batchQuestions = new Histogram({
    name: "interlink_server_status_batch_questions",
    help: "Status requests that shared one question to the plugin",
    buckets: [1, 2, 5, 10, 50, 200],
    registers,
  });
  const batchPods = new Histogram({
    name: "interlink_server_status_batch_pods",
    help: "Pods in one status question to the plugin",
    buckets: [1, 10, 100, 1_000, 10_000],
    registers,
  });
  const streams = new Gauge({
    name: "interlink_server_streams",
    help: "Open streams",
    labelNames: ["kind"] as const,
    registers,
  });
  let answeredAt: number | undefined;
  const answerAge = new Gauge({
    name: "interlink_server_plugin_answer_age_seconds",
    help: "Time since the plugin last told a status; -1 before the first",
    registers: [],
    collect() {
      this.set(answeredAt === undefined ? -1 : (now() - answeredAt) / 1000);
    },
  });
  const pods = new Gauge({
    name: "interlink_server_pods",
    help: "Pods by the state last heard of, as a rough view of the site",
    labelNames: ["state"] as const,
    registers: [],
    collect() {
      const counts = lastSeen.counts();
      for (const state of POD_STATES) this.set({ state }, counts[state]);
    },
  });
  const memory = new Gauge({
    name: "process_resident_memory_bytes",
    help: "Resident memory of the process.",
    registers: [],
    collect() {
      this.set(process.memoryUsage.rss());
    },
  });
  registry.registerMetric(memory);
  registry.registerMetric(answerAge);
  registry.registerMetric(pods);
  return {
    requestDone(operation, code, seconds) {
      requests.inc({ operation, code: String(code) });
      if (seconds >= 0) duration.observe({ operation }, seconds);
    },
    batchAsked(questions, pods) {
      batchQuestions.observe(questions);
      batchPods.observe(pods);
    },
    pluginAnswered() {
      answeredAt = now();
    },
    streamOpened: (kind) => streams.inc({ kind }),
    streamClosed: (kind) => streams.dec({ kind }),
    text: () => registry.metrics(),
    contentType: registry.contentType,
  };
}
