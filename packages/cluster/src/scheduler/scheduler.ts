import type { Node, Pod, PodSpec } from "kubernetes-types/core/v1.js";
import { as, clone, type KubeObject, sameJson } from "../api/object.ts";
import { type Controller, type ControllerParts, Lifetime } from "../controllers/controller.ts";
import { KeyQueue } from "../controllers/key-queue.ts";
import type { Writable } from "../pods/defaults.ts";
import { systemCall } from "../rest/call.ts";
import { updateObject } from "../rest/update.ts";
import type { StoreEvent } from "../storage/object-store.ts";
import { bindPod } from "../subresources/pod-actions.ts";
import { type Candidate, failureMessage, type Refusal, refuse, score } from "./filters.ts";
import { type Amounts, amountsOf, podRequests } from "./requests.ts";

const schedulerName = "default-scheduler";
/** Pods that did not fit are tried again at most this often, however much changes. */
const retryMs = 50;

interface Usage {
  used: Amounts;
  pods: number;
}

/**
 * Binds pods to nodes: taints, selectors, required affinity, resources and the number of pods decide; the emptiest node
 * wins. A pod that fits nowhere waits until something changes that could help. Within one round of retries, pods that
 * ask for the same as one that was just refused are not tried again, so a long queue stays cheap.
 */
export class Scheduler implements Controller {
  readonly #parts: ControllerParts;
  readonly #lifetime = new Lifetime();
  readonly #queue: KeyQueue;
  readonly #call = systemCall(`system:${schedulerName}`);
  readonly #usage = new Map<string, Usage>();
  readonly #allocatable = new WeakMap<KubeObject, Amounts>();
  /** Keys of the pods that fit nowhere, in the order in which they failed, with what they ask for. */
  readonly #waiting = new Map<string, string>();
  #retry: NodeJS.Timeout | undefined;

  constructor(parts: ControllerParts) {
    this.#parts = parts;
    this.#queue = new KeyQueue("scheduler", parts.logger, (key) => {
      this.#schedule(key);
    });
  }

  start(): void {
    const { storage } = this.#parts;
    const pods = storage.storeOf("pods");
    for (const object of pods.list()) this.#onPod(object, undefined);
    this.#lifetime.add(pods.subscribe((event) => this.#onPodEvent(event)));
    this.#lifetime.add(storage.storeOf("nodes").subscribe((event) => this.#onNodeEvent(event)));
  }

  stop(): void {
    this.#lifetime.end();
    this.#queue.stop();
    clearTimeout(this.#retry);
  }

  #onPodEvent(event: StoreEvent): void {
    if (event.type === "DELETED") {
      this.#waiting.delete(event.key);
      this.#onPod(undefined, event.previous);
    } else {
      this.#onPod(event.object, event.previous);
    }
  }

  #onPod(object: KubeObject | undefined, previous: KubeObject | undefined): void {
    const before = occupied(previous);
    const after = occupied(object);
    if (before !== after) {
      if (before !== undefined && previous) this.#account(before, previous, -1);
      if (after !== undefined && object) this.#account(after, object, 1);
      if (before !== undefined) this.#retrySoon();
    }
    if (object && isPending(object)) {
      const specChanged = !previous || !sameJson(object.spec, previous.spec);
      if (specChanged) this.#queue.add(`${object.metadata.namespace}/${object.metadata.name}`);
    }
  }

  #account(nodeName: string, object: KubeObject, sign: 1 | -1): void {
    const usage = this.#usage.get(nodeName) ?? { used: {}, pods: 0 };
    for (const [name, amount] of Object.entries(podRequests(as<{ spec: PodSpec }>(object).spec))) {
      usage.used[name] = (usage.used[name] ?? 0) + sign * amount;
    }
    usage.pods += sign;
    if (usage.pods === 0) this.#usage.delete(nodeName);
    else this.#usage.set(nodeName, usage);
  }

  /** Only what the filters look at can make room. */
  #onNodeEvent(event: StoreEvent): void {
    if (event.type === "DELETED") return;
    const now = as<Node>(event.object);
    const before = event.previous && as<Node>(event.previous);
    const same =
      before !== undefined &&
      sameJson(now.spec, before.spec) &&
      sameJson(now.metadata?.labels, before.metadata?.labels) &&
      sameJson(now.status?.allocatable, before.status?.allocatable);
    if (!same) this.#retrySoon();
  }

  #retrySoon(): void {
    if (this.#waiting.size === 0) return;
    this.#retry ??= setTimeout(() => {
      this.#retry = undefined;
      this.#retryWaiting();
    }, retryMs);
  }

  #retryWaiting(): void {
    const refused = new Set<string>();
    for (const [key, shape] of this.#waiting) {
      if (refused.has(shape)) continue;
      if (!this.#schedule(key)) refused.add(shape);
    }
  }

  #candidates(): Candidate[] {
    return this.#parts.storage
      .storeOf("nodes")
      .list()
      .filter((object) => !object.metadata.deletionTimestamp)
      .map((object) => {
        const node = as<Node>(object);
        let allocatable = this.#allocatable.get(object);
        if (!allocatable) {
          allocatable = amountsOf(node.status?.allocatable ?? node.status?.capacity);
          this.#allocatable.set(object, allocatable);
        }
        const usage = this.#usage.get(object.metadata.name ?? "");
        return { node, allocatable, used: usage?.used ?? {}, pods: usage?.pods ?? 0 };
      });
  }

  /** True when the pod needs no more attention: bound, or no longer pending. */
  #schedule(key: string): boolean {
    const { storage, events } = this.#parts;
    const definition = storage.must("pods");
    const object = storage.store(definition).get(key);
    if (!object || !isPending(object)) {
      this.#waiting.delete(key);
      return true;
    }
    const spec = as<{ spec: PodSpec }>(object).spec;
    const requests = podRequests(spec);
    const refusals: Refusal[] = [];
    let best: { name: string; score: number } | undefined;
    for (const candidate of this.#candidates()) {
      const refusal = refuse(spec, requests, candidate);
      if (refusal) {
        refusals.push(refusal);
        continue;
      }
      const points = score(spec, requests, candidate);
      const name = candidate.node.metadata?.name ?? "";
      if (!best || points > best.score) best = { name, score: points };
    }
    const { namespace, name = "" } = object.metadata;
    const target = { definition, namespace };
    if (!best) {
      this.#waiting.set(key, shapeOf(spec, requests));
      this.#tellFailure(target, object, failureMessage(refusals));
      return false;
    }
    this.#waiting.delete(key);
    bindPod(storage, target, name, best.name, this.#call);
    const message = `Successfully assigned ${namespace}/${name} to ${best.name}`;
    events.record(schedulerName, { definition, object }, "Normal", "Scheduled", message);
    return true;
  }

  #tellFailure(target: Parameters<typeof bindPod>[1], object: KubeObject, message: string): void {
    const { storage, events } = this.#parts;
    const known = (as<Pod>(object).status?.conditions ?? []).find(
      (item) => item.type === "PodScheduled",
    );
    if (known?.status === "False" && known.message === message) return;
    const now = storage.timestamp();
    const change = (current: KubeObject): KubeObject => {
      const next = clone(current);
      const status = (as<Writable<Pod>>(next).status ??= {});
      const others = (status.conditions ?? []).filter((item) => item.type !== "PodScheduled");
      const lastTransitionTime =
        known?.status === "False" ? (known.lastTransitionTime ?? now) : now;
      const condition = { type: "PodScheduled", status: "False", reason: "Unschedulable", message };
      next.status = {
        ...status,
        conditions: [...others, { ...condition, lastProbeTime: null, lastTransitionTime }],
      };
      return next;
    };
    updateObject(storage, target, object.metadata.name ?? "", change, this.#call, "status");
    const about = { definition: target.definition, object };
    events.record(schedulerName, about, "Warning", "FailedScheduling", message);
  }
}

/** The node whose resources the pod holds. */
function occupied(object: KubeObject | undefined): string | undefined {
  if (!object) return undefined;
  const { spec, status } = as<Pod>(object);
  if (status?.phase === "Succeeded" || status?.phase === "Failed") return undefined;
  return spec?.nodeName || undefined;
}

function isPending(object: KubeObject): boolean {
  const { spec, status } = as<Pod>(object);
  return (
    !spec?.nodeName &&
    spec?.schedulerName === schedulerName &&
    !object.metadata.deletionTimestamp &&
    !spec.schedulingGates?.length &&
    status?.phase === "Pending"
  );
}

/** Pods of the same shape fit or do not fit together. */
function shapeOf(spec: PodSpec, requests: Amounts): string {
  const { tolerations, nodeSelector, affinity } = spec;
  return JSON.stringify([requests, tolerations, nodeSelector, affinity]);
}
