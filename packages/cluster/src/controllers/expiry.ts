import type { Event, Pod } from "kubernetes-types/core/v1.js";
import { as, clone, type KubeObject } from "../api/object.ts";
import { systemCall } from "../rest/call.ts";
import { deleteObject } from "../rest/delete.ts";
import { updateObject } from "../rest/update.ts";
import { type Controller, type ControllerParts, Lifetime } from "./controller.ts";

const eventLifetimeMs = 3600_000;
const eventSweepMs = 60_000;

/** Events live for an hour after they were last seen. */
export function eventExpiry({ storage }: ControllerParts): Controller {
  const lifetime = new Lifetime();
  const sweep = (): void => {
    const store = storage.storeOf("events");
    const oldest = storage.chance.now() - eventLifetimeMs;
    for (const object of store.list()) {
      const event = as<Event>(object);
      const seen =
        event.lastTimestamp ?? event.eventTime ?? object.metadata.creationTimestamp ?? "";
      if (Date.parse(seen) < oldest) {
        store.remove(`${object.metadata.namespace}/${object.metadata.name}`);
      }
    }
  };
  return {
    start: () => lifetime.every(eventSweepMs, sweep),
    stop: () => lifetime.end(),
  };
}

const podSweepMs = 20_000;
const quarantineMs = 40_000;

/** Removes pods whose node is gone for 40 s, and pods that wait to be deleted but never had a node (podgc). */
export function podGarbageCollector({ storage, logger }: ControllerParts): Controller {
  const lifetime = new Lifetime();
  const missingSince = new Map<string, number>();
  const call = systemCall("system:pod-garbage-collector");

  const remove = (object: KubeObject, fail: boolean): void => {
    const target = { definition: storage.must("pods"), namespace: object.metadata.namespace };
    const name = object.metadata.name ?? "";
    if (fail)
      updateObject(
        storage,
        target,
        name,
        (pod) => failed(pod, storage.timestamp()),
        call,
        "status",
      );
    const uid = object.metadata.uid ?? "";
    deleteObject(storage, target, name, { gracePeriodSeconds: 0, preconditions: { uid } }, call);
    logger.info({ pod: name, namespace: target.namespace }, "pod without a node removed");
  };

  const sweep = (): void => {
    const now = storage.chance.now();
    const nodes = storage.storeOf("nodes");
    for (const name of missingSince.keys()) if (nodes.get(name)) missingSince.delete(name);
    for (const object of storage.storeOf("pods").list()) {
      const pod = as<Pod>(object);
      const node = pod.spec?.nodeName;
      if (!node) {
        if (object.metadata.deletionTimestamp) remove(object, false);
        continue;
      }
      if (nodes.get(node)) continue;
      const since = missingSince.get(node) ?? now;
      missingSince.set(node, since);
      const terminal = pod.status?.phase === "Succeeded" || pod.status?.phase === "Failed";
      if (now - since >= quarantineMs) remove(object, !terminal);
    }
  };
  return {
    start: () => lifetime.every(podSweepMs, sweep),
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
