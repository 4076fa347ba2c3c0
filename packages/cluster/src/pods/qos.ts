import type { Container, PodSpec } from "kubernetes-types/core/v1.js";
import { quantityNanos } from "../quantity/quantity.ts";

export type QosClass = "Guaranteed" | "Burstable" | "BestEffort";

const counted = ["cpu", "memory"] as const;

function set(amounts: Record<string, string> | undefined, resource: string): boolean {
  return quantityNanos(amounts?.[resource]) > 0n;
}

function guaranteed(container: Container): boolean {
  const { limits, requests } = container.resources ?? {};
  return counted.every(
    (resource) =>
      set(limits, resource) &&
      (requests?.[resource] === undefined ||
        quantityNanos(requests[resource]) === quantityNanos(limits?.[resource])),
  );
}

/** pkg/apis/core/v1/helper/qos: from cpu and memory of all containers, init containers included. */
export function qosClass(spec: PodSpec): QosClass {
  const containers = [...spec.containers, ...(spec.initContainers ?? [])];
  const any = containers.some((container) =>
    counted.some(
      (resource) =>
        set(container.resources?.requests, resource) || set(container.resources?.limits, resource),
    ),
  );
  if (!any) return "BestEffort";
  return containers.every(guaranteed) ? "Guaranteed" : "Burstable";
}
