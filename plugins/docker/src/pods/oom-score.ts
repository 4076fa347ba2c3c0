import type { Container, Pod } from "kubernetes-types/core/v1.js";
import { ceilQuantity } from "./quantity.ts";

/** The kernel kills processes with this score before all others. */
const FIRST = 1000;
/** Between those that asked for all they may use and those that asked for nothing. */
const LEAST_BURSTABLE = 3;
const MOST_BURSTABLE = 999;

/**
 * Who goes first when the machine itself runs out of memory, in a kubelet's order (Kubernetes `pkg/kubelet/qos/policy.go`):
 * pods that asked for nothing, then those that use more of what they asked for. `capacity`: bytes of the machine.
 * Guaranteed pods are left at the engine's own score, `undefined`: a lower one takes rights that engines may not have.
 */
export function oomScoreAdj(
  pod: Pod,
  { resources }: Pick<Container, "resources">,
  capacity: number,
): number | undefined {
  const quality = qualityOf(pod);
  if (quality === "Guaranteed") return undefined;
  if (quality === "BestEffort") return FIRST;
  const requests: Partial<Record<string, string>> = resources?.requests ?? {};
  const limits: Partial<Record<string, string>> = resources?.limits ?? {};
  const text = requests.memory ?? limits.memory;
  const request = text === undefined ? 0 : ceilQuantity(text);
  const share = capacity > 0 ? Math.floor((FIRST * request) / capacity) : 0;
  return Math.min(Math.max(FIRST - share, LEAST_BURSTABLE), MOST_BURSTABLE);
}

type Quality = "Guaranteed" | "Burstable" | "BestEffort";

/** As the API server has it, else by the same rules (`pkg/apis/core/v1/helper/qos`). */
function qualityOf({ spec, status }: Pod): Quality {
  if (status?.qosClass !== undefined) return status.qosClass as Quality;
  const all = [...(spec?.initContainers ?? []), ...(spec?.containers ?? [])];
  const amounts = all.map(({ resources }) => ({
    limits: amountsOf(resources?.limits),
    requests: amountsOf({ ...resources?.limits, ...resources?.requests }),
  }));
  if (amounts.every(({ requests }) => requests.size === 0)) return "BestEffort";
  const isWhole = amounts.every(
    ({ limits, requests }) =>
      limits.size === 2 && [...limits].every(([name, amount]) => requests.get(name) === amount),
  );
  return isWhole ? "Guaranteed" : "Burstable";
}

/** CPU in thousandths and memory in bytes, where there is any. */
function amountsOf(amounts: Partial<Record<string, string>> = {}): Map<string, number> {
  const found = new Map<string, number>();
  for (const [name, parts] of [
    ["cpu", 1000],
    ["memory", 1],
  ] as const) {
    const text = amounts[name];
    const amount = text === undefined ? 0 : ceilQuantity(text, parts);
    if (amount > 0) found.set(name, amount);
  }
  return found;
}
