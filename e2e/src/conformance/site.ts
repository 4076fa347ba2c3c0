import type { Pod } from "kubernetes-types/core/v1.js";
import type { Kubectl } from "../harness/kubectl.ts";
import { type PodOptions, podManifest } from "../harness/manifest.ts";
import type { System } from "../harness/system.ts";
import { waitUntil } from "../systems/wait-until.ts";
import type { PluginName } from "./plugins.ts";

/** A whole system that conformance tests share, and what they do with it. Names are the test's own business. */
export class Site {
  readonly plugin: PluginName;
  readonly system: System;

  constructor(plugin: PluginName, system: System) {
    this.plugin = plugin;
    this.system = system;
  }

  get kubectl(): Kubectl {
    return this.system.kubectl;
  }

  async apply(object: unknown): Promise<void> {
    const input = typeof object === "string" ? object : JSON.stringify(object);
    await this.kubectl.run(["apply", "-f", "-"], { input });
  }

  /** Creates a pod of one container as `podManifest` makes it. */
  createPod(name: string, options: PodOptions = {}): Promise<void> {
    return this.apply(podManifest(name, options));
  }

  /** The pod as soon as `is` holds of it. Fails with what the pod says of itself. */
  async podWhen(
    name: string,
    what: string,
    is: (pod: Pod) => boolean | undefined,
    timeoutMs = 60_000,
  ): Promise<Pod> {
    let last: Pod | undefined;
    try {
      return await waitUntil(
        `pod ${name} ${what}`,
        async () => {
          last = await this.system.pod(name);
          return last !== undefined && is(last) ? last : undefined;
        },
        timeoutMs,
      );
    } catch (error) {
      throw new Error(`${String(error)}\nIts status: ${JSON.stringify(last?.status)}`, {
        cause: error,
      });
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

  async podGone(name: string, timeoutMs = 60_000): Promise<void> {
    const isGone = async () => (await this.system.pod(name)) === undefined;
    await waitUntil(`pod ${name} is gone`, isGone, timeoutMs);
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

  async delete(...names: string[]): Promise<void> {
    await this.kubectl.run(["delete", "pod", ...names, "--grace-period=1", "--timeout=60s"]);
  }
}
