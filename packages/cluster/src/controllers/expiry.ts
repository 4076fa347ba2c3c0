import type { Event, Pod } from "kubernetes-types/core/v1.js";
import { as, clone, type KubeObject } from "../api/object.ts";
import { systemCall } from "../rest/call.ts";
import { deleteObject } from "../rest/delete.ts";
import { updateObject } from "../rest/update.ts";
import type { Storage } from "../storage/storage.ts";
import { type Controller, type ControllerParts, Lifetime } from "./controller.ts";

const eventLifetimeMs = 3600_000;
const eventSweepMs = 60_000;

/** Removes the events that were last seen more than an hour ago. */
export function expireEvents(storage: Storage): void {
  const store = storage.storeOf("events");
  const oldest = storage.chance.now() - eventLifetimeMs;
  for (const object of store.list()) {
    const event = as<Event>(object);
    const seen = event.lastTimestamp ?? event.eventTime ?? object.metadata.creationTimestamp ?? "";
    if (Date.parse(seen) < oldest) {
      store.remove(`${object.metadata.namespace}/${object.metadata.name}`);
    }
  }
}

export function eventExpiry({ storage }: ControllerParts): Controller {
  const lifetime = new Lifetime();
  return {
    start: () => lifetime.every(eventSweepMs, () => expireEvents(storage)),
    stop: () => lifetime.end(),
  };
}

const podSweepMs = 20_000;
const quarantineMs = 40_000;

/** Removes pods whose node is gone for 40 s, and pods that wait to be deleted but never had a node (podgc). */
export class PodSweeper {
  readonly #storage: Storage;
  readonly #missingSince = new Map<string, number>();
  readonly #call = systemCall("system:pod-garbage-collector");

  constructor(storage: Storage) {
    this.#storage = storage;
  }

  /** Looks at every pod once. */
  sweep(): void {
    const now = this.#storage.chance.now();
    const nodes = this.#storage.storeOf("nodes");
    for (const name of this.#missingSince.keys()) {
      if (nodes.get(name)) this.#missingSince.delete(name);
    }
    for (const object of this.#storage.storeOf("pods").list()) {
      const pod = as<Pod>(object);
      const node = pod.spec?.nodeName;
      if (!node) {
        if (object.metadata.deletionTimestamp) this.#remove(object, false);
        continue;
      }
      if (nodes.get(node)) continue;
      const since = this.#missingSince.get(node) ?? now;
      this.#missingSince.set(node, since);
      const terminal = pod.status?.phase === "Succeeded" || pod.status?.phase === "Failed";
      if (now - since >= quarantineMs) this.#remove(object, !terminal);
    }
  }

  #remove(object: KubeObject, fail: boolean): void {
    const { namespace, name = "", uid = "" } = object.metadata;
    const target = { definition: this.#storage.must("pods"), namespace };
    if (fail) {
      const change = (pod: KubeObject): KubeObject => failed(pod, this.#storage.timestamp());
      updateObject(this.#storage, target, name, change, this.#call, "status");
    }
    const options = { gracePeriodSeconds: 0, preconditions: { uid } };
    deleteObject(this.#storage, target, name, options, this.#call);
  }
}

export function podGarbageCollector({ storage }: ControllerParts): Controller {
  const lifetime = new Lifetime();
  const sweeper = new PodSweeper(storage);
  return {
    start: () => lifetime.every(podSweepMs, () => sweeper.sweep()),
    stop: () => lifetime.end(),
  };
}

function failed(object: KubeObject, now: string): KubeObject {
  const next = clone(object);
  const status = as<Pod>(next).status ?? {};
  const others = (status.conditions ?? []).filter((item) => item.type !== "DisruptionTarget");
  next.status = {
    ...status,
    phase: "Failed",
    conditions: [
      ...others,
      {
        type: "DisruptionTarget",
        status: "True",
        reason: "DeletionByPodGC",
        message: "PodGC: node no longer exists",
        lastProbeTime: null,
        lastTransitionTime: now,
      },
    ],
  };
  return next;
}
