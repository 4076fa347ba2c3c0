import { Informer, type KubeClient, paths, subresource } from "@interlink/kube";
import type { Job } from "kubernetes-types/batch/v1.js";
import type { Event, Pod } from "kubernetes-types/core/v1.js";
import type { Applied } from "./apply.ts";
import { type LogSource, PodFollower } from "./follow.ts";
import { logLines } from "./log-lines.ts";
import { combinedExitCode, jobOutcome, podOutcome } from "./outcome.ts";
import type { Screen } from "./screen.ts";

/** Shows pods, warnings and logs on a screen for as long as it is open. */
export class Workloads implements AsyncDisposable {
  readonly #kube: KubeClient;
  readonly #screen: Screen;
  readonly #stop = new AbortController();
  readonly #pods: Informer<Pod>;
  readonly #jobs: Informer<Job>;
  readonly #events: Informer<Event>;
  readonly #running: Promise<unknown>[] = [];
  readonly #logs = new Set<Promise<void>>();
  /** UIDs of what is gone: nothing more will come of it. */
  readonly #gone = new Set<string>();
  /** UIDs of events that have been told. */
  readonly #warned = new Set<string>();
  #onChange: () => void = () => {};

  constructor(kube: KubeClient, screen: Screen) {
    this.#kube = kube;
    this.#screen = screen;
    this.#pods = new Informer<Pod>({ client: kube, path: paths.pods.collection() });
    this.#jobs = new Informer<Job>({ client: kube, path: paths.jobs.collection() });
    this.#events = new Informer<Event>({
      client: kube,
      path: paths.events.collection(),
      fieldSelector: "type=Warning",
    });
    const follower = new PodFollower(screen, (source) => this.#followLog(source));
    const changed = () => this.#onChange();
    const removed = ({ metadata }: Pod | Job) => {
      this.#gone.add(metadata?.uid ?? "");
      this.#onChange();
    };
    this.#pods.on({
      added: (pod) => follower.changed(pod),
      changed: (pod) => follower.changed(pod),
      removed: (pod) => follower.removed(pod),
    });
    this.#pods.on({ added: changed, changed, removed });
    this.#jobs.on({ added: changed, changed, removed });
    const warn = (event: Event) => this.#warn(event);
    const forget = ({ metadata }: Event) => this.#warned.delete(metadata?.uid ?? "");
    this.#events.on({ added: warn, changed: warn, removed: forget });
    for (const informer of [this.#pods, this.#jobs, this.#events]) {
      this.#running.push(informer.run(this.#stop.signal));
    }
  }

  /** Resolves when all these Pods and Jobs have ended, with the exit code for a shell; their logs are complete then. */
  async ended(applied: readonly Applied[], signal: AbortSignal): Promise<number> {
    const exitCode = await new Promise<number>((resolve, reject) => {
      const look = () => {
        const code = combinedExitCode(applied.filter(isWorkload).map((one) => this.#outcome(one)));
        if (code !== undefined) resolve(code);
      };
      this.#onChange = look;
      signal.addEventListener("abort", () => reject(signal.reason as Error), { once: true });
      look();
    });
    await Promise.race([Promise.all(this.#logs), aborted(signal)]);
    return exitCode;
  }

  #outcome({ kind, uid }: Applied): { exitCode: number } | undefined {
    // Somebody deleted it while we waited.
    if (this.#gone.has(uid)) return { exitCode: 1 };
    if (kind === "Job") {
      const job = this.#jobs.get(uid);
      return job && jobOutcome(job);
    }
    const pod = this.#pods.get(uid);
    return pod && podOutcome(pod);
  }

  #warn({ metadata, involvedObject, reason, message }: Event): void {
    // "Error: ImagePullBackOff" is the state over again; an event that is only counted up is told once.
    const uid = metadata.uid ?? "";
    if (/^Error: \w+$/.test(message ?? "") || this.#warned.has(uid)) return;
    this.#warned.add(uid);
    const kind = involvedObject.kind?.toLowerCase() ?? "object";
    this.#screen.print(
      this.#screen.faint(
        `${kind}/${involvedObject.name}  ${reason ?? "Warning"}: ${message ?? ""}`,
      ),
    );
  }

  #followLog({ namespace, pod, container }: LogSource): void {
    const bytes = this.#kube.stream(subresource(paths.pods.named(namespace, pod), "log"), {
      query: { container, follow: true },
      signal: this.#stop.signal,
    });
    const reading = this.#printLog(`${pod}/${container}`, bytes).finally(() =>
      this.#logs.delete(reading),
    );
    this.#logs.add(reading);
  }

  async #printLog(name: string, bytes: AsyncIterable<Uint8Array>): Promise<void> {
    const prefix = this.#screen.strong(`${name} |`);
    try {
      for await (const line of logLines(bytes)) this.#screen.print(`${prefix} ${line}`);
    } catch (error) {
      if (this.#stop.signal.aborted) return;
      this.#screen.print(`${prefix} (its log cannot be read: ${(error as Error).message})`);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await Promise.all([...this.#running, ...this.#logs]);
  }
}

function isWorkload({ kind }: Applied): boolean {
  return kind === "Pod" || kind === "Job";
}

function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    signal.addEventListener("abort", () => reject(signal.reason as Error), { once: true });
  });
}
