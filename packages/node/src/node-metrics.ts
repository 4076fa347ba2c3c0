import { Counter, Gauge, Histogram, Registry } from "prom-client";

/** What the node counts about its pods and its site; its own registry, nothing global. */
export interface NodeMetrics {
  registry: Registry;
  /** The site's stream (or polling) broke. */
  siteLost: () => void;
  siteConnected: (connected: boolean) => void;
  /** A call to the site has ended. `operation` is from a closed set. */
  siteCalled: (operation: string, code: number, seconds: number) => void;
}

export function createNodeMetrics(podsByJob: () => Record<string, number>): NodeMetrics {
  const registry = new Registry();
  const registers = [registry];
  void new Gauge({
    name: "interlink_node_pods",
    help: "Pods of this node by what is known of their job at the site.",
    labelNames: ["job"],
    registers,
    collect() {
      for (const [job, count] of Object.entries(podsByJob())) this.set({ job }, count);
    },
  });
  const connected = new Gauge({
    name: "interlink_node_site_connected",
    help: "1 while the site tells the node how its pods are.",
    registers,
  });
  const lost = new Counter({
    name: "interlink_node_site_disconnects_total",
    help: "How often the site stopped telling the node how its pods are.",
    registers,
  });
  const calls = new Histogram({
    name: "interlink_node_site_call_duration_seconds",
    help: "Time of calls to the site until their answer, by operation and HTTP status; without streams.",
    labelNames: ["operation", "code"],
    buckets: [0.005, 0.02, 0.1, 0.5, 2, 10, 60],
    registers,
  });
  registerMemory(registry);
  return {
    registry,
    siteCalled: (operation, code, seconds) =>
      calls.observe({ operation, code: String(code) }, seconds),
    siteLost: () => lost.inc(),
    siteConnected: (now) => connected.set(now ? 1 : 0),
  };
}

function registerMemory(registry: Registry): void {
  void new Gauge({
    name: "process_resident_memory_bytes",
    help: "Resident memory of the process.",
    registers: [registry],
    collect() {
      this.set(process.memoryUsage.rss());
    },
  });
}
