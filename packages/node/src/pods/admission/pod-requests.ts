import { quantityMilliValue, quantityValue, tryParseQuantity } from "@interlink/kube";
import type { Container, Pod, ResourceRequirements } from "kubernetes-types/core/v1.js";
import { isSidecar } from "../../status/restart-rules.ts";

/** Amounts by resource name: thousandths of a core for `cpu`, whole units (bytes, devices) for all others. */
export type Amounts = ReadonlyMap<string, bigint>;

/** Pod fields that the type package does not know yet (Kubernetes ≥ 1.32). */
type PodLevelResources = { resources?: ResourceRequirements };

/**
 * What a pod takes of its node: the sum of its containers and sidecars, or, if that is more, of what one init container
 * needs beside the sidecars before it; plus overhead. What is said for the pod as a whole goes before
 * (Kubernetes `component-helpers/resource/helpers.go` PodRequests; kubelet-contract.md 3.6).
 */
export function podRequests({ spec }: Pod): Amounts {
  const total = new Map<string, bigint>();
  for (const container of spec?.containers ?? []) add(total, requestsOf(container));
  const sidecars = new Map<string, bigint>();
  const peak = new Map<string, bigint>();
  for (const container of spec?.initContainers ?? []) {
    const own = requestsOf(container);
    if (isSidecar(container)) {
      add(sidecars, own);
      add(total, own);
      raise(peak, sidecars);
    } else {
      raise(peak, sum(own, sidecars));
    }
  }
  raise(total, peak);
  const { requests, limits } = (spec as PodLevelResources | undefined)?.resources ?? {};
  for (const [name, amount] of readAmounts({ ...limits, ...requests })) total.set(name, amount);
  add(total, readAmounts(spec?.overhead ?? {}));
  return total;
}

/** Amounts of a resource list; what cannot be read counts as nothing. */
export function readAmounts(list: Readonly<Record<string, string>>): Map<string, bigint> {
  const amounts = new Map<string, bigint>();
  for (const [name, text] of Object.entries(list)) {
    const quantity = tryParseQuantity(text);
    if (quantity === undefined) continue;
    amounts.set(name, name === "cpu" ? quantityMilliValue(quantity) : quantityValue(quantity));
  }
  return amounts;
}

/** The API server has set the requests that follow from limits. */
function requestsOf({ resources }: Container): Amounts {
  return readAmounts(resources?.requests ?? {});
}

function add(total: Map<string, bigint>, more: Amounts): void {
  for (const [name, amount] of more) total.set(name, (total.get(name) ?? 0n) + amount);
}

function sum(a: Amounts, b: Amounts): Amounts {
  const total = new Map(a);
  add(total, b);
  return total;
}

function raise(total: Map<string, bigint>, to: Amounts): void {
  for (const [name, amount] of to) if (amount > (total.get(name) ?? 0n)) total.set(name, amount);
}
