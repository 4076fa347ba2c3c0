import type { Lease } from "kubernetes-types/coordination/v1.js";
import type { KubeClient } from "./client.ts";
import { isKubeError } from "./errors.ts";
import { paths } from "./paths.ts";

/** Where the leases of nodes live. */
export const NODE_LEASE_NAMESPACE = "kube-node-lease";

/** The node that a lease speaks for. */
export interface NodeLeaseHolder {
  nodeName: string;
  /** The lease belongs to this Node object, so that it goes when the Node goes. */
  nodeUid: string;
  /** Default 40, as a kubelet's; the node counts as lost some ten seconds later. */
  durationSeconds?: number;
}

/** A Kubernetes MicroTime, which must have six decimals: `2026-01-02T03:04:05.000000Z`. */
export function microTime(date: Date): string {
  return date.toISOString().replace(/(\.\d{3})Z$/, "$1000Z");
}

/**
 * The lease as it is to be written at `now`. `known` is what the server answered last; its resourceVersion and what
 * others put into it are kept.
 */
export function nodeLease(holder: NodeLeaseHolder, now: Date, known?: Lease): Lease {
  const { nodeName, nodeUid } = holder;
  return {
    ...known,
    apiVersion: "coordination.k8s.io/v1",
    kind: "Lease",
    metadata: {
      ...known?.metadata,
      name: nodeName,
      namespace: NODE_LEASE_NAMESPACE,
      ownerReferences: [{ apiVersion: "v1", kind: "Node", name: nodeName, uid: nodeUid }],
    },
    spec: {
      ...known?.spec,
      holderIdentity: nodeName,
      leaseDurationSeconds: holder.durationSeconds ?? 40,
      renewTime: microTime(now),
    },
  };
}

/** Immediate tries of one renewal (component-helpers `lease/controller.go`). */
const MAX_TRIES = 5;

/**
 * Renews the lease once and answers with what the server keeps now, to be given again next time, which saves a GET.
 * A lease that another wrote meanwhile is read first; one that is gone is made. Throws KubeError after five tries.
 */
export async function renewNodeLease(
  client: KubeClient,
  holder: NodeLeaseHolder,
  known: Lease | undefined,
  options: { now: () => Date; signal: AbortSignal; timeoutMs: number },
): Promise<Lease> {
  const { now, signal, timeoutMs } = options;
  const path = paths.leases.named(NODE_LEASE_NAMESPACE, holder.nodeName);
  let base = known;
  for (let tries = 1; ; tries += 1) {
    try {
      if (base === undefined) base = await client.get<Lease>(path, { signal, timeoutMs });
      return await client.replace<Lease>(path, nodeLease(holder, now(), base), {
        signal,
        timeoutMs,
      });
    } catch (error) {
      if (isKubeError(error, "not-found")) {
        const made = await createLease(client, holder, now(), { signal, timeoutMs });
        if (made !== undefined) return made;
      }
      if (tries >= MAX_TRIES || signal.aborted) throw error;
      if (isKubeError(error, "not-found", "conflict")) base = undefined;
    }
  }
}

/** Undefined when another made it in the meantime. */
async function createLease(
  client: KubeClient,
  holder: NodeLeaseHolder,
  now: Date,
  options: { signal: AbortSignal; timeoutMs: number },
): Promise<Lease | undefined> {
  const collection = paths.leases.collection(NODE_LEASE_NAMESPACE);
  try {
    return await client.create<Lease>(collection, nodeLease(holder, now), options);
  } catch (error) {
    if (isKubeError(error, "already-exists")) return undefined;
    throw error;
  }
}
