import { Counter, Gauge, Histogram, Registry } from "prom-client";

export type InteractiveKind = "exec" | "attach" | "port-forward";

/** What a served plugin counts. */
export interface PluginMetrics {
  readonly registry: Registry;
  /** A call is over. `operation` is from a closed set. */
  answered(operation: string, status: number, seconds: number): void;
  streamOpened(): void;
  streamClosed(): void;
  interactiveOpened(kind: InteractiveKind): void;
  interactiveClosed(kind: InteractiveKind): void;
  /** A slow reader of the status stream missed events. */
  eventsDropped(count: number): void;
}

export function createPluginMetrics(registry: Registry = new Registry()): PluginMetrics {
  const seconds = new Histogram({
    name: "interlink_plugin_request_duration_seconds",
    help: "Time from a call's arrival to its answer, by operation and HTTP status; without streams.",
    labelNames: ["operation", "status"],
    buckets: [0.001, 0.005, 0.02, 0.1, 0.5, 2, 10, 60],
    registers: [registry],
  });
  const streams = new Gauge({
    name: "interlink_plugin_status_streams",
    help: "Status streams that are open.",
    registers: [registry],
  });
  const interactive = new Gauge({
    name: "interlink_plugin_interactive_streams",
    help: "Streams of exec, attach and port-forward that are open.",
    labelNames: ["kind"],
    registers: [registry],
  });
  const dropped = new Counter({
    name: "interlink_plugin_events_dropped_total",
    help: "Events that a slow reader of the status stream did not get.",
    registers: [registry],
  });
  const memory = new Gauge({
    name: "process_resident_memory_bytes",
    help: "Resident memory of the process.",
    registers: [registry],
    collect() {
      memory.set(process.memoryUsage.rss());
    },
  });
  return {
    registry,
    answered: (operation, status, took) =>
      seconds.observe({ operation, status: String(status) }, took),
    streamOpened: () => streams.inc(),
    streamClosed: () => streams.dec(),
    interactiveOpened: (kind) => interactive.inc({ kind }),
    interactiveClosed: (kind) => interactive.dec({ kind }),
    eventsDropped: (count) => dropped.inc(count),
  };
}
