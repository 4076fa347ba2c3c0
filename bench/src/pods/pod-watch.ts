import { Informer, type KubeClient, paths } from "@interlink/kube";
import type { Pod } from "kubernetes-types/core/v1.js";
import { until } from "../parts/until.ts";
import { NAMESPACE } from "./bench-pod.ts";
import { wallNow } from "./stamps.ts";

/** What a watch has shown of one pod. Times as `wallNow`. */
export interface SeenPod {
  running?: number;
  ended?: number;
  pod: Pod;
}

/** Notes when it sees pods change, as any controller would: with an informer. */
export class PodWatch implements AsyncDisposable {
  readonly #seen = new Map<string, SeenPod>();
  readonly #stop = new AbortController();
  readonly #informer: Informer<Pod>;
  readonly #running: Promise<void>;
  #ended = 0;
  #problem: Error | undefined;

  /** `changed` is told of every event, with the time when it came. `nodeName`: of pods of this node only. */
  constructor(
    client: KubeClient,
    changed: (pod: Pod, at: number) => void = () => undefined,
    nodeName?: string,
  ) {
    this.#informer = new Informer<Pod>({
      client,
      path: paths.pods.collection(NAMESPACE),
      ...(nodeName === undefined ? {} : { fieldSelector: `spec.nodeName=${nodeName}` }),
      hooks: { problem: (error) => (this.#problem = error) },
    });
    const note = (pod: Pod): void => {
      const at = wallNow();
      this.#note(pod, at);
      changed(pod, at);
    };
    this.#informer.on({ added: note, changed: note });
    this.#running = this.#informer.run(this.#stop.signal);
  }

  /** Of every pod that was ever seen, by name. */
  get(name: string): SeenPod | undefined {
    return this.#seen.get(name);
  }

  /** How many pods there are now. */
  get size(): number {
    return this.#informer.size;
  }

  get ended(): number {
    return this.#ended;
  }

  pods(): Pod[] {
    return this.#informer.list();
  }

  /** Waits for the informer to be in step, so that nothing of the pods made next is missed. */
  async synced(signal: AbortSignal): Promise<void> {
    await until("the watch began", () => this.#informer.hasSynced, signal);
  }

  /** Waits until all of these pods are where they should be; tells in the error where they are instead. */
  async all(
    names: readonly string[],
    where: "running" | "ended",
    signal: AbortSignal,
    timeoutMs: number,
  ): Promise<SeenPod[]> {
    const isThere = (name: string): boolean => this.#seen.get(name)?.[where] !== undefined;
    try {
      await until(
        `${names.length} pods are ${where}`,
        () => names.every(isThere),
        signal,
        timeoutMs,
      );
    } catch (error) {
      const missing = names.filter((name) => !isThere(name));
      const phases = missing
        .slice(0, 5)
        .map((name) => `${name}: ${describe(this.#seen.get(name))}`);
      const because = this.#problem === undefined ? "" : ` Watch: ${this.#problem.message}.`;
      throw new Error(
        `${(error as Error).message} ${missing.length} are not, for instance ${phases.join("; ")}.${because}`,
        { cause: error },
      );
    }
    return names.flatMap((name) => this.#seen.get(name) ?? []);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await this.#running;
  }

  #note(pod: Pod, at: number): void {
    const name = pod.metadata?.name ?? "";
    const seen: SeenPod = this.#seen.get(name) ?? { pod };
    seen.pod = pod;
    this.#seen.set(name, seen);
    const phase = pod.status?.phase;
    if (phase === "Running") seen.running ??= at;
    if ((phase === "Succeeded" || phase === "Failed") && seen.ended === undefined) {
      seen.ended = at;
      this.#ended++;
    }
  }
}

function describe(seen: SeenPod | undefined): string {
  if (seen === undefined) return "never seen";
  const { phase, reason, message, containerStatuses } = seen.pod.status ?? {};
  return JSON.stringify({ phase, reason, message, state: containerStatuses?.[0]?.state });
}
