import type { Event, Pod } from "kubernetes-types/core/v1.js";
import type { Kubectl } from "../harness/kubectl.ts";
import { type PodOptions, podManifest } from "../harness/manifest.ts";
import type { System } from "../harness/system.ts";
import { waitUntil } from "../systems/wait-until.ts";
import type { PluginName } from "./plugins.ts";
import { type PodChange, PodHistory } from "./pod-history.ts";

/** A whole system that conformance tests share, and what they do with it. Names are the test's own business. */
export class Site implements AsyncDisposable {
  readonly plugin: PluginName;
  readonly system: System;
  readonly history: PodHistory;

  constructor(plugin: PluginName, system: System) {
    this.plugin = plugin;
    this.system = system;
    this.history = new PodHistory(system.kubectl);
  }

  get kubectl(): Kubectl {
    return this.system.kubectl;
  }

  async apply(object: unknown): Promise<void> {
    const input = typeof object === "string" ? object : JSON.stringify(object);
    await this.kubectl.run(["apply", "-f", "-"], { input });
  }

  /** Creates a pod of one container as `podManifest` makes it; the API server alone decides whether it is sound. */
  async createPod(name: string, options: PodOptions = {}): Promise<void> {
    const input = podManifest(name, options);
    await this.kubectl.run(["create", "--validate=false", "-f", "-"], { input });
  }

  /** The pod as soon as `is` holds of it, from now on; the history knows it then. Fails with what the pod says of itself. */
  async podWhen(
    name: string,
    what: string,
    is: (pod: Pod) => boolean | undefined,
    timeoutMs = 60_000,
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
    timeoutMs = 60_000,
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
  async podGone(name: string, timeoutMs = 60_000): Promise<Pod> {
    const seen = await this.history.until(name, ({ type }) => type === "DELETED", timeoutMs);
    return seen.object;
  }

  /** Runs a pod to its end and gives what it wrote. */
  async output(name: string, options: PodOptions): Promise<string> {
    await this.createPod(name, options);
    await this.podInPhase(name, "Succeeded", "Failed");
    return this.logs(name);
  }

  logs(name: string, ...options: string[]): Promise<string> {
    return this.kubectl.run(["logs", name, ...options]);
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
    const selector = `involvedObject.uid=${uid},source=${source}`;
    return waitUntil(`an event of ${name} is told`, async () => {
      const args = ["get", "events", "--field-selector", selector];
      const { items } = await this.kubectl.json<{ items: Event[] }>(args);
      return items.some(is) && items;
    });
  }

  async patchPod(name: string, patch: unknown): Promise<void> {
    await this.kubectl.run(["patch", "pod", name, "-p", JSON.stringify(patch)]);
  }

  /** Deletes pods; the history knows it when it resolves. */
  async delete(...names: string[]): Promise<void> {
    const before = names.map((name) => [name, this.history.of(name).length] as const);
    await this.kubectl.run(["delete", "pod", ...names, "--grace-period=1", "--timeout=60s"]);
    const isGone = ({ type }: PodChange) => type === "DELETED";
    // A pod of the same name may be there again.
    for (const [name, count] of before) await this.history.until(name, isGone, 10_000, count);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.history[Symbol.asyncDispose]();
    await this.system[Symbol.asyncDispose]();
  }
}

function versionOf(pod: Pod | undefined): number {
  return Number(pod?.metadata?.resourceVersion ?? 0);
}
