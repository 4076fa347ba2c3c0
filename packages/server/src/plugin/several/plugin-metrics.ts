import { Gauge, type Registry } from "prom-client";
import type { SeveralPlugins } from "./several-plugins.ts";

/** Metrics of each plugin apart. */
export function registerPluginMetrics(registry: Registry, several: SeveralPlugins): void {
  const up = new Gauge({
    name: "interlink_server_plugin_up",
    help: "Whether the plugin answered its last call and is not slow at status questions",
    labelNames: ["plugin"] as const,
    registers: [],
    collect() {
      for (const { name, healthy } of several.states()) this.set({ plugin: name }, healthy ? 1 : 0);
    },
  });
  const pods = new Gauge({
    name: "interlink_server_plugin_pods",
    help: "Pods that were given to the plugin and not deleted",
    labelNames: ["plugin"] as const,
    registers: [],
    collect() {
      for (const { name, pods: count } of several.states()) this.set({ plugin: name }, count);
    },
  });
  registry.registerMetric(up);
  registry.registerMetric(pods);
}
