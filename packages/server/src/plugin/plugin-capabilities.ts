import {
  type Capabilities,
  type InterlinkClient,
  offers,
  ProtocolError,
} from "@interlink/protocol";
import type { Pod } from "kubernetes-types/core/v1.js";

/** What this server hands on for a plugin. */
const HANDED_ON = [
  "status-stream",
  "log-options",
  "log-streams",
  "pod-ip-env",
  "env-files",
  "pod-updates",
  "pull-secrets",
  "ephemeral-containers",
  "exec",
  "attach",
  "port-forward",
  "stats",
] as const;

const FRESH_MS = 30_000;

/** What a plugin offers. */
export interface PluginOffers {
  ask(signal: AbortSignal): Promise<Capabilities | undefined>;
  /** Of several plugins, what that of the pod offers. */
  recent(signal: AbortSignal, about?: AboutPod): Promise<Capabilities | undefined>;
}

/** The pod that a question is about; whole, if it may be a new one. */
export interface AboutPod {
  uid: string;
  pod?: Pod;
}

/** What the plugin offers, asked at most every 30 s where a decision only needs to be about right. */
export class PluginCapabilities implements PluginOffers {
  private known: { value: Capabilities | undefined; at: number } | undefined;
  private readonly plugin: InterlinkClient;
  private readonly now: () => number;

  constructor(plugin: InterlinkClient, now: () => number) {
    this.plugin = plugin;
    this.now = now;
  }

  /** Asks the plugin. Throws ProtocolError when it cannot be asked: unknown is not none. */
  async ask(signal: AbortSignal): Promise<Capabilities | undefined> {
    const value = await this.plugin.capabilities({ signal });
    this.known = { value, at: this.now() };
    return value;
  }

  /** What was answered counts no longer. */
  forget(): void {
    this.known = undefined;
  }

  /**
   * The last answer while it is fresh, else a new one. A plugin that answers the question with an error is treated as
   * one of the base protocol, which is always safe. Throws when it cannot be reached.
   */
  async recent(signal: AbortSignal): Promise<Capabilities | undefined> {
    if (this.known !== undefined && this.now() - this.known.at < FRESH_MS) return this.known.value;
    try {
      return await this.ask(signal);
    } catch (error) {
      if (error instanceof ProtocolError && error.code === "refused") return undefined;
      throw error;
    }
  }
}

/** What a virtual node is told: the plugin's features as far as this server hands them on. */
export function serverCapabilities(agent: string, plugin: Capabilities | undefined): Capabilities {
  return {
    protocol: "interlink",
    version: "1.0",
    agent: (plugin === undefined ? agent : `${agent} (${plugin.agent})`).slice(0, 256),
    features: HANDED_ON.filter((feature) => offers(plugin, feature)),
    ...(plugin?.runtime === undefined ? {} : { runtime: plugin.runtime }),
  };
}
