import type { Pod } from "kubernetes-types/core/v1.js";
import { parseQuantity } from "../resolve/quantity.ts";

/**
 * Bytes that an emptyDir of medium Memory may hold: its `sizeLimit`, and never more than the pod's memory limit, which
 * it has when every container has one (Kubernetes 1.22 and later, `pkg/volume/emptydir`). `undefined`: no limit but the
 * machine's.
 */
export function memoryVolumeBytes(
  { spec }: Pod,
  sizeLimit: string | undefined,
): number | undefined {
  const limits = [podMemory(spec), bytes(sizeLimit)].filter((limit) => limit !== undefined);
  return limits.length === 0 ? undefined : Math.min(...limits);
}

/** As the scheduler counts: containers and sidecars run together, each other init container on its own. */
function podMemory(spec: Pod["spec"]): number | undefined {
  const { containers = [], initContainers = [] } = spec ?? {};
  const limits = [...containers, ...initContainers].map(({ resources }) =>
    bytes(resources?.limits?.["memory"]),
  );
  const known = limits.filter((limit) => limit !== undefined);
  if (known.length === 0 || known.length < limits.length) return undefined;
  const isSidecar = (index: number) => initContainers[index]?.restartPolicy === "Always";
  const inits = known.slice(containers.length);
  const together = known.slice(0, containers.length).concat(inits.filter((_, i) => isSidecar(i)));
  const alone = inits.filter((_, index) => !isSidecar(index));
  return Math.max(
    together.reduce((sum, one) => sum + one, 0),
    ...alone,
  );
}

function bytes(quantity: string | undefined): number | undefined {
  const size = quantity === undefined ? undefined : parseQuantity(quantity);
  if (size === undefined || size.numerator === 0n) return undefined;
  return Number(size.numerator / size.denominator);
}
