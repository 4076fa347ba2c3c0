import type { Event, Node, ObjectReference, Pod } from "kubernetes-types/core/v1.js";
import type { KubeClient } from "./client.ts";
import { pause } from "./deadline.ts";
import { isKubeError, isPassing } from "./errors.ts";
import { EventCorrelator, type EventPlan, type Happening } from "./event-correlator.ts";
import { paths } from "./paths.ts";
import { type RateLimit, TokenBucket } from "./rate-limit.ts";

/** In whose name events are written, and how fast. */
export interface EventRecorderOptions {
  client: KubeClient;
  /** The node's name: `source.host`. */
  host: string;
  /** Default `kubelet`, which is what people and conformance tests select by. */
  component?: string;
  /** Told of events that could not be written, with what they are about, and of how many were dropped because the queue was full. */
  problem?: (error: Error, about?: ObjectReference) => void;
  now?: () => number;
  /** Writes to the API server; default as a kubelet's `--event-qps` 50, `--event-burst` 100. */
  rate?: RateLimit;
  /** Wait between tries when the server cannot be reached; default 10 s. */
  retryMs?: number;
}

/** Writes Kubernetes events in the background. Recording never waits and never throws. */
export interface EventRecorder extends AsyncDisposable {
  record(about: ObjectReference, type: "Normal" | "Warning", reason: string, message: string): void;
  /** Resolves when everything recorded so far is written or given up. */
  flushed(): Promise<void>;
  /** Events dropped so far because too many waited. */
  readonly dropped: number;
  /** Gives what waits up to `graceMs` (default 2 s) to be written. */
  close(graceMs?: number): Promise<void>;
}

const QUEUE_LIMIT = 1000;
const MESSAGE_LIMIT = 1024;
const MAX_TRIES = 12;
const RATE: RateLimit = { perSecond: 50, burst: 100 };

/** A recorder that writes from now on; to be closed. */
export function createEventRecorder(options: EventRecorderOptions): EventRecorder {
  return new Recorder(options);
}

/** Reference to a pod, or to one of its containers, in the words of `kubectl describe` (`spec.containers{app}`). */
export function podReference(pod: Pod, container?: string): ObjectReference {
  const { name, namespace, uid, resourceVersion } = pod.metadata ?? {};
  const fieldPath = container === undefined ? undefined : containerFieldPath(pod, container);
  return {
    apiVersion: "v1",
    kind: "Pod",
    ...(name === undefined ? {} : { name }),
    ...(namespace === undefined ? {} : { namespace }),
    ...(uid === undefined ? {} : { uid }),
    ...(resourceVersion === undefined ? {} : { resourceVersion }),
    ...(fieldPath === undefined ? {} : { fieldPath }),
  };
}

/** Reference to a node. Its UID is the node's *name*, as a kubelet writes it and `kubectl describe node` expects. */
export function nodeReference(nodeName: string): ObjectReference & Required<Pick<Node, "kind">> {
  return { apiVersion: "v1", kind: "Node", name: nodeName, uid: nodeName };
}

function containerFieldPath(pod: Pod, container: string): string | undefined {
  const { containers = [], initContainers = [], ephemeralContainers = [] } = pod.spec ?? {};
  const has = (list: { name: string }[]): boolean => list.some((one) => one.name === container);
  if (has(containers)) return `spec.containers{${container}}`;
  if (has(initContainers)) return `spec.initContainers{${container}}`;
  return has(ephemeralContainers) ? `spec.ephemeralContainers{${container}}` : undefined;
}

class Recorder implements EventRecorder {
  readonly #options: EventRecorderOptions;
  readonly #now: () => number;
  readonly #correlator = new EventCorrelator();
  readonly #bucket: TokenBucket;
  readonly #stop = new AbortController();
  #waiting: Happening[] = [];
  #writing: Promise<void> | undefined;
  #dropped = 0;
  #lastNanos = 0n;

  constructor(options: EventRecorderOptions) {
    this.#options = options;
    this.#now = options.now ?? Date.now;
    this.#bucket = new TokenBucket(options.rate ?? RATE, this.#now());
  }

  get dropped(): number {
    return this.#dropped;
  }

  record(
    about: ObjectReference,
    type: "Normal" | "Warning",
    reason: string,
    message: string,
  ): void {
    if (this.#stop.signal.aborted) return;
    this.#waiting.push({ about, type, reason, message: shorten(message), atMs: this.#now() });
    if (this.#waiting.length > QUEUE_LIMIT) {
      this.#waiting.shift();
      this.#dropped += 1;
    }
    this.#writing ??= this.#writeAll();
  }

  async flushed(): Promise<void> {
    while (this.#writing !== undefined) await this.#writing;
  }

  async close(graceMs = 2000): Promise<void> {
    const grace = setTimeout(() => this.#stop.abort(), graceMs);
    await this.flushed();
    clearTimeout(grace);
    this.#stop.abort();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** Writes until nothing waits. Never rejects. */
  async #writeAll(): Promise<void> {
    // Not in the turn of who records.
    await Promise.resolve();
    for (;;) {
      const happening = this.#waiting.shift();
      if (happening === undefined || this.#stop.signal.aborted) break;
      const plan = this.#correlator.plan(happening);
      if (plan.do === "drop") continue;
      const wait = this.#bucket.reserve(this.#now());
      if (wait > 0) await pause(wait, this.#stop.signal);
      await this.#write(happening, plan);
    }
    this.#waiting = this.#stop.signal.aborted ? [] : this.#waiting;
    this.#writing = undefined;
  }

  async #write(happening: Happening, plan: Exclude<EventPlan, { do: "drop" }>): Promise<void> {
    const { signal } = this.#stop;
    for (let tries = 1; ; tries += 1) {
      try {
        const name = await this.#send(happening, plan);
        this.#correlator.created(plan.key, name);
        return;
      } catch (error) {
        // Nobody can read it there any more.
        if (signal.aborted || isOfEndingNamespace(error)) return;
        if (!isPassing(error) || tries >= MAX_TRIES) {
          const words = error instanceof Error ? error.message : String(error);
          this.#options.problem?.(
            new Error(`the event ${happening.reason} was not written: ${words}`, { cause: error }),
            happening.about,
          );
          return;
        }
        await pause(this.#options.retryMs ?? 10_000, signal);
        if (signal.aborted) return;
      }
    }
  }

  /** The name of the Event object that now tells this. */
  async #send(happening: Happening, plan: Exclude<EventPlan, { do: "drop" }>): Promise<string> {
    const { client } = this.#options;
    const { signal } = this.#stop;
    const namespace = happening.about.namespace ?? "default";
    const event = this.#event(happening, plan, namespace);
    if (plan.do === "count") {
      const patch = {
        count: plan.count,
        lastTimestamp: event.lastTimestamp,
        message: plan.message,
      };
      try {
        await client.patch(paths.events.named(namespace, plan.name), "strategic-merge", patch, {
          signal,
        });
        return plan.name;
      } catch (error) {
        // Events live for an hour; then it is told anew, with its count.
        if (!isKubeError(error, "not-found")) throw error;
      }
    }
    await client.create(paths.events.collection(namespace), event, { signal });
    return event.metadata.name ?? "";
  }

  #event(happening: Happening, plan: Exclude<EventPlan, { do: "drop" }>, namespace: string): Event {
    const component = this.#options.component ?? "kubelet";
    const { about, type, reason, atMs } = happening;
    return {
      apiVersion: "v1",
      kind: "Event",
      metadata: { name: this.#eventName(about.name ?? ""), namespace },
      involvedObject: about,
      reason,
      message: plan.message,
      type,
      source: { component, host: this.#options.host },
      reportingComponent: component,
      reportingInstance: this.#options.host,
      firstTimestamp: wholeSeconds(plan.firstMs),
      lastTimestamp: wholeSeconds(atMs),
      count: plan.count,
    };
  }

  /** `OBJECT.HEX`, where HEX is a time in nanoseconds that never repeats. */
  #eventName(objectName: string): string {
    const nanos = BigInt(Math.round(this.#now())) * 1_000_000n;
    this.#lastNanos = nanos > this.#lastNanos ? nanos : this.#lastNanos + 1n;
    return `${objectName.slice(0, 253 - 17).replace(/[-.]+$/, "")}.${this.#lastNanos.toString(16)}`;
  }
}

function isOfEndingNamespace(error: unknown): boolean {
  const causes = isKubeError(error, "forbidden") ? error.status?.details?.causes : undefined;
  return causes?.some(({ reason }) => reason === "NamespaceTerminating") === true;
}

/** A Kubernetes Time, which has no fractions. */
function wholeSeconds(ms: number): string {
  return new Date(ms).toISOString().replace(/\.\d{3}Z$/, "Z");
}

/** At most 1,024 bytes, cut between characters. */
function shorten(message: string): string {
  const bytes = Buffer.from(message);
  if (bytes.length <= MESSAGE_LIMIT) return message;
  const cut = new TextDecoder("utf-8").decode(bytes.subarray(0, MESSAGE_LIMIT - 3), {
    stream: true,
  });
  return `${cut}…`;
}
