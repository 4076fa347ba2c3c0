import type { Container, PodSpec } from "kubernetes-types/core/v1.js";
import { quantityNanos } from "../quantity/quantity.ts";

/** Amounts by resource, in thousandths of the unit (CPU in millicores, memory in millibytes). */
export type Amounts = Record<string, number>;

const nanosPerMilli = 1_000_000n;

export function amountsOf(quantities: Readonly<Record<string, string>> | undefined): Amounts {
  const amounts: Amounts = {};
  for (const [name, text] of Object.entries(quantities ?? {})) {
    amounts[name] = Number((quantityNanos(text) + nanosPerMilli - 1n) / nanosPerMilli);
  }
  return amounts;
}

function add(to: Amounts, more: Amounts): void {
  for (const [name, amount] of Object.entries(more)) to[name] = (to[name] ?? 0) + amount;
}

function atLeast(to: Amounts, more: Amounts): void {
  for (const [name, amount] of Object.entries(more)) to[name] = Math.max(to[name] ?? 0, amount);
}

function requestsOf(container: Container): Amounts {
  return amountsOf(container.resources?.requests);
}

/**
 * What a pod asks of a node (`PodRequests`): all containers and sidecars together, or the largest moment of the init
 * phase if that is more, plus overhead.
 */
export function podRequests(spec: PodSpec): Amounts {
  const total: Amounts = {};
  for (const container of spec.containers) add(total, requestsOf(container));
  const sidecars: Amounts = {};
  const init: Amounts = {};
  for (const container of spec.initContainers ?? []) {
    const requests = requestsOf(container);
    if (container.restartPolicy === "Always") {
      add(total, requests);
      add(sidecars, requests);
      atLeast(init, sidecars);
    } else {
      const moment = { ...sidecars };
      add(moment, requests);
      atLeast(init, moment);
    }
  }
  atLeast(total, init);
  add(total, amountsOf(spec.overhead));
  return total;
}
