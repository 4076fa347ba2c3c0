import { AsyncLocalStorage } from "node:async_hooks";
import {
  type Capabilities,
  createInterlinkClient,
  type InterlinkClient,
  offers,
  ProtocolError,
  type RemotePodStatus,
  type StatusStreamRecord,
} from "@interlink/protocol";
import type { Pod } from "kubernetes-types/core/v1.js";
import type { Logger } from "pino";
import type { AskStatus } from "../../status/status-batcher.ts";
import { StatusBatcher } from "../../status/status-batcher.ts";
import { type AboutPod, PluginCapabilities, type PluginOffers } from "../plugin-capabilities.ts";
import { choosePlugin, type PluginRules } from "./choose-plugin.ts";
import { combinedPing, pinged } from "./combined-ping.ts";
import { combinedStats } from "./combined-stats.ts";
import { mergeStreams } from "./merged-stream.ts";
import { Placements } from "./placements.ts";
import { PluginLine, unlessSlow } from "./plugin-line.ts";
import type { SeveralPluginsOptions } from "./several-options.ts";

interface Parts {
  lines: ReadonlyMap<string, PluginLine>;
  rules: PluginRules;
  placements: Placements;
  logger: Logger;
  now: () => number;
}

/** For a ping of all, per plugin: a plugin that hangs must not make the node think that all do. */
const PING_MS = 5_000;
const STREAM_RETRY_MS = 1_000;
const PATH = /^\/plugins\/([^/?]+)(?=[/?])/;

/**
 * Several plugins in the place of one: a client, what it offers and its batches, which the routes use as those of a single
 * plugin. Each call goes to one plugin: to the one by whose path it came (`/plugins/NAME/…`), to the one that has the pod, or
 * to the one that a new pod is for. Only ping, capabilities and lists of statuses that came by no such path are about all.
 */
export class SeveralPlugins implements AsyncDisposable {
  private readonly parts: Parts;
  private readonly path = new AsyncLocalStorage<string | undefined>();
  readonly client: InterlinkClient;

  private constructor(parts: Parts) {
    this.parts = parts;
    this.client = this.asOne();
  }

  /** Throws when the placements cannot be read or kept. `ask` asks one plugin about pods. */
  static async open(
    options: SeveralPluginsOptions,
    tools: {
      logger: Logger;
      limits: { requests: number; streams: number };
      now: () => number;
      ask(client: InterlinkClient, offers: PluginOffers): AskStatus;
      onBatch: (questions: number, pods: number) => void;
    },
  ): Promise<SeveralPlugins> {
    const { now, limits, logger } = tools;
    const names = Object.keys(options.plugins);
    const placements = await Placements.open(options.placements, Date.now()).catch(
      (cause: Error) => {
        const what = "which plugin has which pod cannot be kept in";
        throw new Error(`${what} ${options.placements}: ${cause.message}`, { cause });
      },
    );
    const lines = new Map<string, PluginLine>();
    const byNode = new Map<string, string>();
    for (const [name, { nodes = [], ...how }] of Object.entries(options.plugins)) {
      const client = createInterlinkClient({ ...how, peer: "plugin" });
      const capabilities = new PluginCapabilities(client, now);
      const batcher = new StatusBatcher(tools.ask(client, capabilities), tools.onBatch);
      const share = (limit: number): number => Math.max(1, Math.floor(limit / names.length));
      const own = { calls: share(limits.requests), streams: share(limits.streams) };
      lines.set(name, new PluginLine({ name, client, capabilities, batcher, limits: own, now }));
      for (const node of nodes) byNode.set(node, name);
    }
    for (const [plugin, pods] of placements.counts()) {
      if (lines.has(plugin)) continue;
      logger.error(
        { plugin, pods },
        "a plugin that has pods is not configured any more: nothing can be told of them, and they go on running; put it back until they have ended",
      );
    }
    const otherwise = options.defaultPlugin ?? (names.length === 1 ? names[0] : undefined);
    return new SeveralPlugins({
      lines,
      rules: { names, byNode, otherwise },
      placements,
      logger,
      now,
    });
  }

  /** The path without `/plugins/NAME`, and the plugin that it names. A name that is not there stays in the path: 404. */
  split(url: string): { url: string; plugin: string | undefined } {
    const name = PATH.exec(url)?.[1];
    if (name === undefined || !this.parts.lines.has(name)) return { url, plugin: undefined };
    return { url: url.replace(PATH, ""), plugin: name };
  }

  /** Runs the handling of a request that came by a plugin's path. */
  within(plugin: string | undefined, work: () => void): void {
    this.path.run(plugin, work);
  }

  /** What the plugin of this path offers; by no path, what all offer. */
  readonly capabilities = {
    ask: (signal: AbortSignal): Promise<Capabilities | undefined> => {
      const line = this.byPath();
      return line === undefined ? this.common(signal) : line.capabilities.ask(signal);
    },
    recent: async (signal: AbortSignal, about?: AboutPod): Promise<Capabilities | undefined> => {
      const line = about === undefined ? this.byPath() : this.lineOf(about.uid, about.pod);
      return line === undefined ? this.common(signal) : line.capabilities.recent(signal);
    },
  };

  /** Each plugin is asked about its own pods, in its own batches. */
  readonly batcher = {
    ask: async (pods: readonly Pod[], signal: AbortSignal): Promise<RemotePodStatus[]> => {
      const byLine = new Map<PluginLine, Pod[]>();
      for (const pod of pods) {
        const line = this.lineOf(pod.metadata?.uid ?? "", pod);
        byLine.set(line, [...(byLine.get(line) ?? []), pod]);
      }
      const asked = [...byLine].map(([line, own]) => {
        const answer = line.status(own, signal);
        // Alone it may take its time; beside others it must not hold up theirs: the node asks again, pod by pod.
        return byLine.size === 1 ? answer : unlessSlow(line, answer);
      });
      return (await Promise.all(asked)).flat();
    },
  };

  /** For metrics: each plugin, whether it answers, and how many pods it has. */
  states(): { name: string; healthy: boolean; pods: number }[] {
    const counts = this.parts.placements.counts();
    return [...this.parts.lines.values()].map((line) => ({
      name: line.name,
      healthy: line.healthy && line.slowFor() === undefined,
      pods: counts.get(line.name) ?? 0,
    }));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.parts.lines.values()].map(({ client }) => client.close()));
    await this.parts.placements[Symbol.asyncDispose]();
  }

  private byPath(): PluginLine | undefined {
    const name = this.path.getStore();
    return name === undefined ? undefined : this.parts.lines.get(name);
  }

  /** The plugin that has the pod; else, as for a new one. Throws `unavailable` when it is not configured any more. */
  private lineOf(uid: string, pod?: Pod): PluginLine {
    const { lines, rules, placements } = this.parts;
    const placed = placements.of(uid);
    const name =
      placed ??
      this.path.getStore() ??
      (pod === undefined ? rules.otherwise : choosePlugin(pod, undefined, rules));
    const line = name === undefined ? undefined : lines.get(name);
    if (line !== undefined) return line;
    if (name === undefined) {
      throw new ProtocolError("not-found", "no plugin of this API server has such a pod");
    }
    throw new ProtocolError(
      "unavailable",
      `the pod was given to the plugin ${name}, which this API server does not have any more; its site must put it back`,
    );
  }

  /** What every plugin offers. One that does not answer offers nothing for now, so that nobody waits for its streams. */
  private async common(signal: AbortSignal): Promise<Capabilities | undefined> {
    const all = await Promise.all(
      [...this.parts.lines.values()].map((line) =>
        line.capabilities
          .recent(AbortSignal.any([signal, AbortSignal.timeout(PING_MS)]))
          .catch(() => undefined),
      ),
    );
    const [first, ...others] = all;
    if (first === undefined || others.includes(undefined)) return undefined;
    const features = first.features.filter((feature) =>
      others.every((other) => offers(other, feature as never)),
    );
    const { runtime: _, ...same } = first;
    return { ...same, agent: `${all.length} plugins`, features };
  }

  private asOne(): InterlinkClient {
    const everyLine = () => [...this.parts.lines.values()];
    const close = async (): Promise<void> => {};
    return {
      peer: "plugin",
      create: async (data, options) => {
        const { pod } = data;
        const line = await this.placed(pod);
        return line.call((client) => client.create(data, options));
      },
      update: async (data, options) =>
        this.lineOf(data.pod.metadata?.uid ?? "", data.pod).call((client) =>
          client.update(data, options),
        ),
      delete: async (pod, options) => {
        const uid = pod.metadata?.uid ?? "";
        await this.lineOf(uid, pod).call((client) => client.delete(pod, options));
        await this.parts.placements.deleted(uid, Date.now());
      },
      status: (pods, options) =>
        this.batcher.ask(pods, options?.signal ?? new AbortController().signal),
      logs: async (request, options) =>
        this.lineOf(request.PodUID).log((client) => client.logs(request, options)),
      ping: async (options) => {
        const line = this.byPath();
        if (line !== undefined) return line.call((client) => client.ping(options));
        const pings = await Promise.all(everyLine().map((one) => pinged(one, options, PING_MS)));
        const problems = pings.flatMap(({ name, problem }) =>
          problem === undefined ? [] : `${name}: ${problem}`,
        );
        if (problems.length === pings.length) {
          throw new ProtocolError("unavailable", `no plugin answers: ${problems.join("; ")}`);
        }
        const answer = combinedPing(pings);
        return { raw: JSON.stringify(answer), answer };
      },
      capabilities: (options) =>
        this.capabilities.ask(options?.signal ?? new AbortController().signal),
      statusStream: (options) => {
        const line = this.byPath();
        return line === undefined ? this.mergedStream(options) : line.client.statusStream(options);
      },
      exec: async (request, options) =>
        this.lineOf(request.PodUID).call((client) => client.exec(request, options)),
      attach: async (request, options) =>
        this.lineOf(request.PodUID).call((client) => client.attach(request, options)),
      portForward: async (request, options) =>
        this.lineOf(request.PodUID).call((client) => client.portForward(request, options)),
      openStream: async (stream, options) =>
        this.lineOf(stream.request.PodUID).socket((client) => client.openStream(stream, options)),
      stats: async (options) => {
        const line = this.byPath();
        if (line !== undefined) return line.call((client) => client.stats(options));
        const owns = (one: PluginLine, uid: string) => this.owns(one, uid);
        return combinedStats(everyLine(), owns, { ...options, timeoutMs: PING_MS });
      },
      updateCache: close,
      close,
      [Symbol.asyncDispose]: close,
    };
  }

  /** Whether what this plugin says of a pod counts: also of one that was never placed, from before there were several. */
  private owns(line: PluginLine, uid: string): boolean {
    return (this.parts.placements.of(uid) ?? line.name) === line.name;
  }

  private mergedStream(
    options: Parameters<InterlinkClient["statusStream"]>[0],
  ): AsyncGenerator<StatusStreamRecord, void, undefined> {
    const { lines, logger } = this.parts;
    const sources = [...lines.values()].map((line) => ({
      name: line.name,
      open: (signal: AbortSignal) => line.client.statusStream({ ...options, signal }),
      has: (uid: string) => this.owns(line, uid),
      failed: (error: unknown) => {
        // Whether it still streams, or is there at all, is asked anew.
        line.capabilities.forget();
        const about = { plugin: line.name, requestId: options?.requestId, err: error };
        logger.warn(about, "a plugin does not tell how its pods are; the others' are told");
      },
    }));
    const signal = options?.signal ?? new AbortController().signal;
    return mergeStreams(sources, { signal, openMs: PING_MS, retryMs: STREAM_RETRY_MS });
  }

  /** The plugin of a create, written down before it hears of the pod. */
  private async placed(pod: Pod): Promise<PluginLine> {
    const { placements, rules, lines } = this.parts;
    const uid = pod.metadata?.uid ?? "";
    const before = placements.of(uid);
    if (before !== undefined) return this.lineOf(uid, pod);
    const name = choosePlugin(pod, this.path.getStore(), rules);
    try {
      await placements.place(uid, name);
    } catch (cause) {
      throw new ProtocolError(
        "unavailable",
        `this API server cannot write down which plugin the pod is for: ${(cause as Error).message}`,
        { cause },
      );
    }
    return lines.get(name) as PluginLine;
  }
}
