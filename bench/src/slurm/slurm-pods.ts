import { randomUUID } from "node:crypto";
import { constants } from "node:fs";
import { open } from "node:fs/promises";
import { join } from "node:path";
import type { RemotePodStatus } from "@interlink/protocol";
import type { Pod } from "kubernetes-types/core/v1.js";
import { atOnce } from "../load/at-once.ts";
import { until } from "../parts/until.ts";
import { benchPod } from "../pods/bench-pod.ts";
import { wallNow } from "../pods/stamps.ts";
import { forPlugin } from "../scenarios/create-data.ts";
import type { SlurmSite } from "./slurm-site.ts";

/** As many creates at a time, of which the plugin runs eight sbatch. The virtual node begins up to 512 pods at once. */
export const CREATES_AT_ONCE = 64;

/** What was told of a pod first, as {@link wallNow}. */
interface Told {
  running?: number;
  ended?: number;
  gone?: number;
}

/**
 * Pods of a Slurm plugin, as its status stream tells of them. Each waits at a FIFO for its end, and is on hold until it
 * is released, so that what is measured begins and ends when the benchmark says so.
 */
export class SlurmPods implements AsyncDisposable {
  readonly #site: SlurmSite;
  readonly #told = new Map<string, Told>();
  /** Slurm's ids of their jobs. */
  readonly #jobs = new Map<string, string>();
  readonly #stop = new AbortController();
  readonly #listening: Promise<void>;
  #failure: Error | undefined;

  constructor(site: SlurmSite) {
    this.#site = site;
    this.#listening = this.#listen().catch((error: unknown) => {
      if (!this.#stop.signal.aborted) this.#failure = error as Error;
    });
  }

  /** So many pods, with a FIFO each. */
  async plan(count: number): Promise<Pod[]> {
    const { user, image } = this.#site;
    const ends = join(user.folder, "ends");
    const pods = Array.from({ length: count }, () => slurmPod(image, ends));
    await user.run("mkfifo", ...pods.map((pod) => join(ends, uidOf(pod))));
    return pods;
  }

  /** Creates them, on hold. Resolves with the milliseconds that all took. */
  async create(pods: readonly Pod[], signal: AbortSignal): Promise<number> {
    const begun = performance.now();
    await atOnce(pods, CREATES_AT_ONCE, async (pod) => {
      const { PodJID } = await this.#site.client.create(forPlugin(pod), { signal });
      this.#jobs.set(uidOf(pod), PodJID);
    });
    return performance.now() - begun;
  }

  /** Lets their jobs begin. Resolves with the milliseconds until all were told to run. */
  async release(pods: readonly Pod[], signal: AbortSignal): Promise<number> {
    const begun = performance.now();
    const jobs = pods.map((pod) => this.#jobs.get(uidOf(pod)) ?? "");
    await this.#site.user.run("scontrol", "release", jobs.join(","));
    await this.#all("all pods run", pods, "running", signal);
    return performance.now() - begun;
  }

  /** Ends one: its container has what it waits for. */
  async end(pod: Pod): Promise<void> {
    const fifo = join(this.#site.user.folder, "ends", uidOf(pod));
    // Without waiting: it fails when nobody reads, which would mean that the pod does not run.
    const file = await open(fifo, constants.O_WRONLY | constants.O_NONBLOCK);
    try {
      await file.write("\n");
    } finally {
      await file.close();
    }
  }

  /** For each pod that was ended, the milliseconds from its container's exit record to the status that tells of it. */
  async lags(pods: readonly Pod[], signal: AbortSignal): Promise<number[]> {
    await this.#all("the ends of all pods are told", pods, "ended", signal);
    return atOnce(pods, 8, async (pod) => {
      const { ended = Number.NaN } = this.#told.get(uidOf(pod)) ?? {};
      return ended - (await this.#site.endOf(uidOf(pod)));
    });
  }

  /** Deletes them. Resolves with the milliseconds until nothing is left of any. */
  async delete(pods: readonly Pod[], signal: AbortSignal): Promise<number> {
    const begun = performance.now();
    await atOnce(pods, CREATES_AT_ONCE, (pod) => this.#site.client.delete(pod, { signal }));
    await this.#all("all pods are gone", pods, "gone", signal);
    return performance.now() - begun;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await this.#listening;
  }

  async #all(what: string, pods: readonly Pod[], of: keyof Told, signal: AbortSignal) {
    await until(
      what,
      () => {
        if (this.#failure !== undefined) throw this.#failure;
        return pods.every((pod) => this.#told.get(uidOf(pod))?.[of] !== undefined);
      },
      signal,
      900_000,
    );
  }

  async #listen(): Promise<void> {
    const { signal } = this.#stop;
    for await (const record of this.#site.client.statusStream({ signal })) {
      if (record.type === "status") this.#status(record.status);
      else if (record.type === "gone") this.#note(record.UID, "gone");
    }
  }

  #status({ UID, containers }: RemotePodStatus): void {
    const [state] = containers.map((container) => container.state);
    if (state?.running !== undefined) this.#note(UID, "running");
    if (state?.terminated !== undefined) this.#note(UID, "ended");
  }

  #note(uid: string, what: keyof Told): void {
    const told = this.#told.get(uid) ?? {};
    told[what] ??= wallNow();
    this.#told.set(uid, told);
  }
}

export function uidOf(pod: Pod): string {
  return pod.metadata?.uid ?? "";
}

function slurmPod(image: string, ends: string): Pod {
  const uid = randomUUID();
  const made = benchPod(`pod-${uid.slice(0, 8)}`, ["sh", "-c", 'read -r line <"/ends/$0"', uid]);
  const volumeMounts = [{ name: "ends", mountPath: "/ends" }];
  const containers = (made.spec?.containers ?? []).map((container) => ({
    ...container,
    image,
    volumeMounts,
    // All of them have to fit into the memory that Slurm's one node has.
    resources: { requests: { memory: "100Mi" } },
  }));
  const volumes = [{ name: "ends", hostPath: { path: ends } }];
  const annotations = { "slurm-job.vk.io/flags": "--hold" };
  return {
    ...made,
    metadata: { ...made.metadata, uid, annotations },
    spec: { ...made.spec, containers, volumes },
  };
}
