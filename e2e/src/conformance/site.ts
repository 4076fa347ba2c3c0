import { isKubeError, type KubeObject, paths, subresource } from "@interlink/kube";
import type { Event, Pod } from "kubernetes-types/core/v1.js";
import type { Kubectl } from "../harness/kubectl.ts";
import { type PodOptions, podManifest } from "../harness/manifest.ts";
import type { System } from "../harness/system.ts";
import { waitUntil } from "../systems/wait-until.ts";
import type { PluginName } from "./plugins.ts";
import { type PodChange, PodHistory } from "./pod-history.ts";

const NAMESPACE = "default";

/** Objects that most tests make, and that can be replaced by others of their name. */
const COLLECTIONS: Readonly<Record<string, string>> = {
  ConfigMap: paths.configMaps.collection(NAMESPACE),
  Secret: paths.secrets.collection(NAMESPACE),
};

/**
 * A whole system that conformance tests share, and what they do with it. Names are the test's own business. What is done
 * hundreds of times asks Kubernetes itself: a kubectl for each would be most of the work of these tests.
 */
export class Site implements AsyncDisposable {
  readonly plugin: PluginName;
  readonly system: System;
  readonly history: PodHistory;
  /** Kills the plugin, and starts it anew. */
  readonly restartPlugin: () => Promise<void>;

  private constructor(
    plugin: PluginName,
    system: System,
    history: PodHistory,
    restartPlugin: () => Promise<void>,
  ) {
    this.plugin = plugin;
    this.system = system;
    this.history = history;
    this.restartPlugin = restartPlugin;
  }

  /** `restartPlugin`: of a plugin that is not a part of the system. */
  static async of(
    plugin: PluginName,
    system: System,
    restartPlugin = async (): Promise<void> => {
      await system.kill9("plugin");
      await system.launch("plugin");
    },
  ): Promise<Site> {
    return new Site(plugin, system, await PodHistory.of(system.kube), restartPlugin);
  }

  get kubectl(): Kubectl {
    return this.system.kubectl;
  }

  /** Creates it, or makes what is there like it. */
  async apply(object: unknown): Promise<void> {
    const { kind = "", metadata = {} } = object as KubeObject;
    const collection = metadata.namespace === undefined ? COLLECTIONS[kind] : undefined;
    try {
      if (collection !== undefined) return void (await this.system.kube.create(collection, object));
    } catch (error) {
      if (!isKubeError(error, "already-exists")) throw error;
      const path = `${collection}/${metadata.name}`;
      // Without a resourceVersion, whatever it has become meanwhile.
      return void (await this.system.kube.replace(path, object));
    }
    const input = typeof object === "string" ? object : JSON.stringify(object);
    await this.kubectl.run(["apply", "-f", "-"], { input });
  }

  /** Creates a pod of one container as `podManifest` makes it; the API server alone decides whether it is sound. */
  async createPod(name: string, options: PodOptions = {}): Promise<void> {
    await this.system.kube.create(
      paths.pods.collection(NAMESPACE),
      JSON.parse(podManifest(name, options)),
    );
  }

  /** The pod as soon as `is` holds of it, from now on; the history knows it then. Fails with what the pod says of itself. */
  async podWhen(
    name: string,
    what: string,
    is: (pod: Pod) => boolean | undefined,
    timeoutMs = 90_000,
  ): Promise<Pod> {
    // The watch may lag behind what the test has just done.
    const now = await this.system.pod(name);
    const isSince = (pod: Pod) => versionOf(pod) >= versionOf(now);
    if (now === undefined || !is(now)) {
      return this.#seen(name, what, (pod) => isSince(pod) && is(pod), timeoutMs);
    }
    await this.history.until(name, ({ object }) => isSince(object), timeoutMs);
    return now;
  }

  /** The first state of the pod that `is` holds of, however short it lasts or has lasted. */
  podSeen(
    name: string,
    what: string,
    is: (pod: Pod) => boolean | undefined,
    timeoutMs = 90_000,
  ): Promise<Pod> {
    return this.#seen(name, what, is, timeoutMs, 0);
  }

  async #seen(
    name: string,
    what: string,
    is: (pod: Pod) => boolean | undefined,
    timeoutMs: number,
    from?: number,
  ): Promise<Pod> {
    try {
      const isSo = ({ type, object }: PodChange) => type !== "DELETED" && is(object);
      return (await this.history.until(name, isSo, timeoutMs, from)).object;
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      throw new Error(`The pod ${name} ${what}? ${why}`, { cause: error });
    }
  }

  podInPhase(name: string, ...phases: string[]): Promise<Pod> {
    return this.podWhen(name, `is ${phases.join(" or ")}`, ({ status }) =>
      phases.includes(status?.phase ?? ""),
    );
  }

  podReady(name: string): Promise<Pod> {
    return this.podWhen(name, "is ready", ({ status }) =>
      status?.conditions?.some((one) => one.type === "Ready" && one.status === "True"),
    );
  }

  /** The last state of the pod, as soon as it is gone. */
  async podGone(name: string, timeoutMs = 90_000): Promise<Pod> {
    const seen = await this.history.until(name, ({ type }) => type === "DELETED", timeoutMs);
    return seen.object;
  }

  /** Runs a pod to its end and gives what it wrote. */
  async output(name: string, options: PodOptions): Promise<string> {
    await this.createPod(name, options);
    await this.podInPhase(name, "Succeeded", "Failed");
    return this.logs(name);
  }

  /** What the pod wrote. With options, or several containers, it is kubectl that asks. */
  async logs(name: string, ...options: string[]): Promise<string> {
    if (options.length > 0) return this.kubectl.run(["logs", name, ...options]);
    const path = subresource(paths.pods.named(NAMESPACE, name), "log");
    const pieces: Uint8Array[] = [];
    try {
      for await (const piece of this.system.kube.stream(path)) pieces.push(piece);
    } catch (error) {
      if (!/a container name must be specified/.test(String(error))) throw error;
      return this.kubectl.run(["logs", name]);
    }
    return Buffer.concat(pieces).toString();
  }

  /** The log, as soon as it holds what is looked for. */
  logWith(name: string, pattern: RegExp, ...options: string[]): Promise<string> {
    return waitUntil(
      `the log of ${name} holds ${pattern}`,
      async () => {
        const text = await this.logs(name, ...options);
        return pattern.test(text) && text;
      },
      60_000,
    );
  }

  /** Events of a pod, by default those of the kubelet, as soon as there is one such as is looked for. */
  eventsOf(pod: Pod, is: (event: Event) => boolean, source = "kubelet"): Promise<Event[]> {
    const { name, uid } = pod.metadata ?? {};
    const query = { fieldSelector: `involvedObject.uid=${uid},source=${source}` };
    return waitUntil(`an event of ${name} is told`, async () => {
      const { items } = await this.system.kube.list<Event>(paths.events.collection(NAMESPACE), {
        query,
      });
      return items.some(is) && items;
    });
  }

  async patchPod(name: string, patch: unknown): Promise<void> {
    await this.system.kube.patch(paths.pods.named(NAMESPACE, name), "strategic-merge", patch);
  }

  /** Deletes pods; the history knows it when it resolves. */
  async delete(...names: string[]): Promise<void> {
    await Promise.all(
      names.map(async (name) => {
        // A pod of the same name may be there again.
        const before = this.history.of(name).length;
        await this.system.kube.delete(paths.pods.named(NAMESPACE, name), { gracePeriodSeconds: 1 });
        await this.history.until(name, ({ type }) => type === "DELETED", 60_000, before);
      }),
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.history[Symbol.asyncDispose]();
    await this.system[Symbol.asyncDispose]();
  }
}

function versionOf(pod: Pod | undefined): number {
  return Number(pod?.metadata?.resourceVersion ?? 0);
}
