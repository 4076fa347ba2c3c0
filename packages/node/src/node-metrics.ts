import { Counter, Gauge, Registry } from "prom-client";

/** What the node counts about its pods and its site; its own registry, nothing global. */
export interface NodeMetrics {
  registry: Registry;
  /** The site's stream (or polling) broke. */
  siteLost: () => void;
  siteConnected: (connected: boolean) => void;
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
  return {
    registry,
    siteLost: () => lost.inc(),
    siteConnected: (now) => connected.set(now ? 1 : 0),
  };
}
