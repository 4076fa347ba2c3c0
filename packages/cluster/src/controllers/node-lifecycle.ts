import type { Lease } from "kubernetes-types/coordination/v1.js";
import type { Node, Pod, Taint } from "kubernetes-types/core/v1.js";
import { as, clone, type KubeObject, sameJson } from "../api/object.ts";
import type { Writable } from "../pods/defaults.ts";
import { systemCall } from "../rest/call.ts";
import { updateObject } from "../rest/update.ts";
import { type Controller, type ControllerParts, Lifetime } from "./controller.ts";
import { KeyQueue } from "./key-queue.ts";

const monitorMs = 5_000;
const component = "node-controller";
const prefix = "node.kubernetes.io/";

/** The taint of each condition, by the status that brings it (`nodeConditionToTaintKeyStatusMap`). */
const conditionTaints: readonly (readonly [string, string, string])[] = [
  ["Ready", "False", `${prefix}not-ready`],
  ["Ready", "Unknown", `${prefix}unreachable`],
  ["MemoryPressure", "True", `${prefix}memory-pressure`],
  ["DiskPressure", "True", `${prefix}disk-pressure`],
  ["PIDPressure", "True", `${prefix}pid-pressure`],
  ["NetworkUnavailable", "True", `${prefix}network-unavailable`],
];
const evicting = new Set([`${prefix}not-ready`, `${prefix}unreachable`]);
const managed = new Set([...conditionTaints.map(([, , key]) => key), `${prefix}unschedulable`]);

/** The taints that a node should have: the user's own, and those that its conditions call for. */
export function nodeTaints(node: Node): Taint[] {
  const conditions = new Map(
    (node.status?.conditions ?? []).map((item) => [item.type, item.status]),
  );
  const before = node.spec?.taints ?? [];
  const wanted: Taint[] = [];
  const want = (key: string, effect: string): void => {
    const known = before.find((taint) => taint.key === key && taint.effect === effect);
    wanted.push(known ?? { key, effect });
  };
  // A node that has not said anything yet is not ready.
  if (!conditions.has("Ready")) want(`${prefix}not-ready`, "NoSchedule");
  for (const [type, status, key] of conditionTaints) {
    if (conditions.get(type) !== status) continue;
    want(key, "NoSchedule");
    if (evicting.has(key)) want(key, "NoExecute");
  }
  if (node.spec?.unschedulable) want(`${prefix}unschedulable`, "NoSchedule");
  return [...before.filter((taint) => !managed.has(taint.key)), ...wanted];
}

interface LifeSign {
  lease: string;
  heartbeat: string;
  seenAt: number;
}

const watchedConditions = ["Ready", "MemoryPressure", "DiskPressure", "PIDPressure"];

/**
 * Keeps the taints of nodes in step with their conditions, and calls a node Unknown when neither its lease nor its
 * status has changed for the grace period. Pods of such a node are marked not ready; they are not evicted.
 */
export class NodeLifecycle implements Controller {
  readonly #parts: ControllerParts;
  readonly #graceMs: number;
  readonly #lifetime = new Lifetime();
  readonly #queue: KeyQueue;
  readonly #signs = new Map<string, LifeSign>();
  readonly #call = systemCall("system:node-controller");

  constructor(parts: ControllerParts, graceMs: number) {
    this.#parts = parts;
    this.#graceMs = graceMs;
    this.#queue = new KeyQueue("nodes", parts.logger, (name) => this.#reconcile(name));
  }

  start(): void {
    const nodes = this.#parts.storage.storeOf("nodes");
    for (const node of nodes.values()) this.#queue.add(node.metadata.name ?? "");
    this.#lifetime.add(
      nodes.subscribe((event) => {
        if (event.type === "DELETED") this.#signs.delete(event.key);
        else this.#queue.add(event.key);
      }),
    );
    this.#lifetime.every(Math.min(monitorMs, this.#graceMs / 4), () => {
      for (const node of nodes.list()) this.#queue.add(node.metadata.name ?? "");
    });
  }

  stop(): void {
    this.#lifetime.end();
    this.#queue.stop();
  }

  #reconcile(name: string): void {
    const { storage, events } = this.#parts;
    let found = storage.find("nodes", undefined, name);
    if (!found) return;
    const definition = storage.must("nodes");
    if (!this.#signs.has(name)) {
      const message = `Node ${name} event: Registered Node ${name} in Controller`;
      events.record(component, { definition, object: found }, "Normal", "RegisteredNode", message);
    }
    if (!this.#isAlive(name, as<Node>(found)) && !isUnknown(as<Node>(found))) {
      found = this.#markUnknown(name, found);
    }
    const taints = nodeTaints(as<Node>(found));
    if (sameJson(taints, as<Node>(found).spec?.taints ?? [])) return;
    this.#update(name, "object", (node) => {
      node.spec ??= {};
      if (taints.length > 0) node.spec.taints = clone(taints) as Writable<Taint>[];
      else delete node.spec.taints;
    });
  }

  /** Anything new from the node since last time; only our own clock counts. */
  #isAlive(name: string, node: Node): boolean {
    const now = this.#parts.storage.chance.now();
    const lease = this.#parts.storage.find(
      "leases",
      "kube-node-lease",
      name,
      "coordination.k8s.io",
    );
    const renewed = lease ? (as<Lease>(lease).spec?.renewTime ?? "") : "";
    const ready = (node.status?.conditions ?? []).find((item) => item.type === "Ready");
    const heartbeat = ready?.status === "Unknown" ? "" : (ready?.lastHeartbeatTime ?? "");
    const before = this.#signs.get(name);
    if (
      !before ||
      before.lease !== renewed ||
      (heartbeat !== "" && before.heartbeat !== heartbeat)
    ) {
      this.#signs.set(name, { lease: renewed, heartbeat, seenAt: now });
      return true;
    }
    return now - before.seenAt < this.#graceMs;
  }

  #markUnknown(name: string, object: KubeObject): KubeObject {
    const { storage, events } = this.#parts;
    const now = storage.timestamp();
    const result = this.#update(name, "status", (node) => {
      node.status ??= {};
      const conditions = node.status.conditions ?? [];
      for (const type of watchedConditions) {
        const known = conditions.find((item) => item.type === type);
        const unknown = {
          type,
          status: "Unknown",
          reason: known ? "NodeStatusUnknown" : "NodeStatusNeverUpdated",
          message: known
            ? "Kubelet stopped posting node status."
            : "Kubelet never posted node status.",
          lastTransitionTime: now,
        };
        if (known) Object.assign(known, unknown);
        else conditions.push({ ...unknown, lastHeartbeatTime: now });
      }
      node.status.conditions = conditions;
    });
    const definition = storage.must("nodes");
    const message = `Node ${name} status is now: NodeNotReady`;
    events.record(component, { definition, object }, "Normal", "NodeNotReady", message);
    this.#markPodsNotReady(name, now);
    return result;
  }

  #markPodsNotReady(nodeName: string, now: string): void {
    const { storage, events } = this.#parts;
    const definition = storage.must("pods");
    for (const object of storage.store(definition).list()) {
      const pod = as<Pod>(object);
      if (pod.spec?.nodeName !== nodeName) continue;
      const ready = (pod.status?.conditions ?? []).find((item) => item.type === "Ready");
      if (ready?.status !== "True") continue;
      const target = { definition, namespace: object.metadata.namespace };
      const change = (current: KubeObject): KubeObject => {
        const next = clone(current);
        const conditions = as<Writable<Pod>>(next).status?.conditions ?? [];
        for (const item of conditions) {
          if (item.type === "Ready")
            Object.assign(item, { status: "False", lastTransitionTime: now });
        }
        return next;
      };
      updateObject(storage, target, object.metadata.name ?? "", change, this.#call, "status");
      events.record(
        component,
        { definition, object },
        "Warning",
        "NodeNotReady",
        "Node is not ready",
      );
    }
  }

  #update(
    name: string,
    part: "object" | "status",
    change: (node: Writable<Node>) => void,
  ): KubeObject {
    const target = { definition: this.#parts.storage.must("nodes"), namespace: undefined };
    const apply = (current: KubeObject): KubeObject => {
      const next = clone(current);
      change(as<Writable<Node>>(next));
      return next;
    };
    return updateObject(this.#parts.storage, target, name, apply, this.#call, part).object;
  }
}

function isUnknown(node: Node): boolean {
  return (node.status?.conditions ?? []).some(
    (item) => item.type === "Ready" && item.status === "Unknown",
  );
}
