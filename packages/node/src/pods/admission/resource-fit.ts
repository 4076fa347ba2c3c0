import type { Amounts } from "./pod-requests.ts";

/** What a node lacks for a pod. */
export interface Shortage {
  resource: string;
  requested: bigint;
  used: bigint;
  capacity: bigint;
}

/** The order in which a kubelet looks; extended resources come after. */
const FIRST = ["cpu", "memory", "ephemeral-storage"];

/**
 * The first resource of which the node has too little for one more pod (Kubernetes `noderesources.Fits`). Extended
 * resources that the node does not have at all are left out: a scheduler extender manages them
 * (`pkg/kubelet/lifecycle/predicate.go` removeMissingExtendedResources).
 */
export function shortage(
  requested: Amounts,
  used: Amounts,
  pods: number,
  capacity: Amounts,
): Shortage | undefined {
  const most = capacity.get("pods");
  if (most !== undefined && BigInt(pods) + 1n > most) {
    return { resource: "pods", requested: 1n, used: BigInt(pods), capacity: most };
  }
  const others = [...requested.keys()].filter((name) => !FIRST.includes(name)).sort();
  for (const resource of [...FIRST, ...others]) {
    const wanted = requested.get(resource) ?? 0n;
    if (wanted === 0n || (isExtended(resource) && !capacity.has(resource))) continue;
    const has = capacity.get(resource) ?? 0n;
    const taken = used.get(resource) ?? 0n;
    if (wanted > has - taken) return { resource, requested: wanted, used: taken, capacity: has };
  }
  return undefined;
}

/** `domain/name` outside of Kubernetes' own domain. */
function isExtended(resource: string): boolean {
  return resource.includes("/") && !resource.split("/")[0]?.endsWith("kubernetes.io");
}
