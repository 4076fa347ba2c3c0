import { parseQuantity, type Quantity, tryParseQuantity } from "@interlink/kube";
import type {
  Container,
  Pod,
  ResourceFieldSelector,
  ResourceRequirements,
} from "kubernetes-types/core/v1.js";

/** What the node offers, by resource name, as Kubernetes quantities. */
export type Allocatable = Readonly<Record<string, string>>;

/**
 * The value of a `resourceFieldRef`: quantity divided by the divisor (default 1), rounded up. A limit that is not set
 * is that of the pod as a whole (Kubernetes 1.34 and later), else what the node can give; a request that is not set is 0
 * (Kubernetes `pkg/api/v1/resource/helpers.go`).
 */
export function resourceValue(
  pod: Pod,
  selector: ResourceFieldSelector,
  own: Container | undefined,
  allocatable: Allocatable,
): { value: string } | { problem: string } {
  const container = selector.containerName ? named(pod, selector.containerName) : own;
  if (!container) return { problem: `container ${selector.containerName ?? ""} not found` };
  const [kind, ...rest] = selector.resource.split(".");
  const name = rest.join(".");
  if ((kind !== "limits" && kind !== "requests") || name === "") {
    return { problem: `unsupported container resource : ${selector.resource}` };
  }
  const set = container.resources?.[kind]?.[name];
  const ofPod = (pod.spec as { resources?: ResourceRequirements } | undefined)?.resources;
  const otherwise = ofPod?.limits?.[name] ?? allocatable[name];
  const quantity = parse(set) ?? (kind === "limits" ? parse(otherwise) : undefined);
  const divisor = parse(selector.divisor)?.nanos ?? 0n;
  return { value: divideUp(quantity?.nanos ?? 0n, divisor === 0n ? ONE : divisor).toString() };
}

const ONE = parseQuantity("1").nanos;

function parse(quantity: string | undefined): Quantity | undefined {
  return quantity === undefined ? undefined : tryParseQuantity(quantity);
}

function named(pod: Pod, name: string): Container | undefined {
  const containers = [...(pod.spec?.initContainers ?? []), ...(pod.spec?.containers ?? [])];
  return containers.find((container) => container.name === name);
}

function divideUp(amount: bigint, by: bigint): bigint {
  return (amount + by - 1n) / by;
}
