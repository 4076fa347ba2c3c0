import type { Pod } from "kubernetes-types/core/v1.js";
import { badRequest, conflict, notFound } from "../api/api-error.ts";
import { as, clone, isJsonObject, type JsonObject } from "../api/object.ts";
import { readObject } from "../http/body.ts";
import type { SubresourceHandler } from "../http/resource-handler.ts";
import type { DeleteOptions } from "../resources/definition.ts";
import type { Call, Target } from "../rest/call.ts";
import { deleteObject } from "../rest/delete.ts";
import { updateObject } from "../rest/update.ts";
import type { Storage } from "../storage/storage.ts";

const success = (code: number): JsonObject => ({
  kind: "Status",
  apiVersion: "v1",
  metadata: {},
  status: "Success",
  code,
});

/** Puts a pod on a node (`assignPod`): once only, not while it is gated or on its way out. */
export function bindPod(
  storage: Storage,
  target: Target,
  name: string,
  nodeName: string,
  call: Call,
  uid?: string,
): void {
  const { definition } = target;
  const current = storage.find("pods", target.namespace, name);
  if (!current) throw notFound(definition, name);
  const pod = as<Pod>(current);
  if (uid && uid !== pod.metadata?.uid) {
    throw conflict(
      definition,
      name,
      `Precondition failed: UID in precondition: ${uid}, UID in object meta: ${pod.metadata?.uid}`,
    );
  }
  if (pod.metadata?.deletionTimestamp) {
    throw conflict(definition, name, `pod ${name} is being deleted, cannot be assigned to a host`);
  }
  if (pod.spec?.nodeName) {
    throw conflict(
      definition,
      name,
      `pod ${name} is already assigned to node "${pod.spec.nodeName}"`,
    );
  }
  if (pod.spec?.schedulingGates?.length) {
    throw conflict(definition, name, `pod ${name} has non-empty .spec.schedulingGates`);
  }
  if (call.dryRun) return;
  const next = clone(current);
  Object.assign(next.spec as object, { nodeName });
  const conditions = (pod.status?.conditions ?? []).filter((item) => item.type !== "PodScheduled");
  next.status = {
    ...pod.status,
    conditions: [
      ...conditions,
      {
        type: "PodScheduled",
        status: "True",
        lastProbeTime: null,
        lastTransitionTime: storage.timestamp(),
      },
    ],
  };
  // Not through updateObject: nodeName and status change in one write, as in the real registry.
  storage.store(definition).put(`${target.namespace}/${name}`, next);
}

/** `POST pods/NAME/binding`. */
export function podBinding(storage: Storage): SubresourceHandler {
  return async (exchange, info, target) => {
    const body = await readObject(exchange.request);
    const to = isJsonObject(body.target) ? body.target : {};
    if (typeof to.name !== "string" || to.name === "") {
      throw badRequest("target.name: Required value: the node that the pod is bound to");
    }
    const metadata = isJsonObject(body.metadata) ? body.metadata : {};
    const uid = typeof metadata.uid === "string" ? metadata.uid : undefined;
    bindPod(storage, target, info.name ?? "", to.name, exchange.call(), uid);
    exchange.json(201, success(201));
  };
}

/** `POST pods/NAME/eviction`: a deletion. There are no disruption budgets here that could forbid it. */
export function podEviction(storage: Storage): SubresourceHandler {
  return async (exchange, info, target) => {
    const body = await readObject(exchange.request);
    const metadata = isJsonObject(body.metadata) ? body.metadata : {};
    const name = info.name ?? "";
    if (metadata.name !== undefined && metadata.name !== name) {
      throw badRequest(`name in URL does not match name in Eviction object: "${name}"`);
    }
    const options = (isJsonObject(body.deleteOptions) ? body.deleteOptions : {}) as DeleteOptions;
    const current = storage.find("pods", target.namespace, name);
    if (!current) throw notFound(target.definition, name);
    const call = exchange.call(options.dryRun?.includes("All"));
    const { status } = as<Pod>(current);
    const over = status?.phase === "Succeeded" || status?.phase === "Failed";
    if (!over && !call.dryRun) markDisrupted(storage, target, name, call);
    deleteObject(storage, target, name, options, call);
    exchange.json(201, success(201));
  };
}

function markDisrupted(storage: Storage, target: Target, name: string, call: Call): void {
  const change = (current: Parameters<typeof clone>[0]) => {
    const next = clone(current) as ReturnType<Parameters<typeof updateObject>[3]>;
    const status = (next.status ?? {}) as { conditions?: { type: string }[] };
    const others = (status.conditions ?? []).filter((item) => item.type !== "DisruptionTarget");
    next.status = {
      ...status,
      conditions: [
        ...others,
        {
          type: "DisruptionTarget",
          status: "True",
          reason: "EvictionByEvictionAPI",
          message: "Eviction API: evicting",
          lastProbeTime: null,
          lastTransitionTime: storage.timestamp(),
        },
      ],
    };
    return next;
  };
  updateObject(storage, target, name, change, call, "status");
}
