import { ceilDivide, type Fraction, PluginError, parseQuantity } from "@interlink/plugin-sdk";
import type { Container, Pod } from "kubernetes-types/core/v1.js";

/** What a pod needs as a whole; what nobody states is left out. */
export interface PodResources {
  /** Whole CPUs. */
  cpus?: number;
  /** MiB. */
  memory?: number;
  /** MiB of local disk. */
  storage?: number;
  /** Whole units by resource name, e.g. `nvidia.com/gpu`. */
  extended: ReadonlyMap<string, number>;
}

const MIB: Fraction = { numerator: 1n << 20n, denominator: 1n };
const ONE: Fraction = { numerator: 1n, denominator: 1n };
const ZERO: Fraction = { numerator: 0n, denominator: 1n };

/**
 * The sum over a pod's containers by Kubernetes' rules (kubernetes: component-helpers/resource): containers and sidecars
 * together, or an init container with the sidecars that have started before it, whatever is more; plus the overhead. Of
 * each container its limit counts, else its request. Pod-level resources stand above the sum. Throws `PluginError`
 * `invalid` for a quantity that is none.
 */
export function podResources(pod: Pod): PodResources {
  const names = new Set(
    [...(pod.spec?.initContainers ?? []), ...(pod.spec?.containers ?? []), podLevel(pod)].flatMap(
      ({ resources }) => [
        ...Object.keys(resources?.limits ?? {}),
        ...Object.keys(resources?.requests ?? {}),
      ],
    ),
  );
  const amount = (name: string): Fraction | undefined =>
    names.has(name) ? podAmount(pod, name) : undefined;
  const extended = new Map<string, number>();
  for (const name of [...names].toSorted()) {
    if (!name.includes("/")) continue;
    const units = Number(ceilDivide(podAmount(pod, name), ONE));
    if (units > 0) extended.set(name, units);
  }
  const whole = (name: string, unit: Fraction): number | undefined => {
    const sum = amount(name);
    return sum === undefined || sum.numerator === 0n ? undefined : Number(ceilDivide(sum, unit));
  };
  const cpus = whole("cpu", ONE);
  const memory = whole("memory", MIB);
  const storage = whole("ephemeral-storage", MIB);
  return {
    ...(cpus !== undefined && { cpus }),
    ...(memory !== undefined && { memory }),
    ...(storage !== undefined && { storage }),
    extended,
  };
}

function podAmount(pod: Pod, name: string): Fraction {
  const { initContainers = [], containers = [], overhead = {} } = pod.spec ?? {};
  const own = stated(podLevel(pod), name);
  let peak = ZERO;
  let sidecars = ZERO;
  for (const container of initContainers) {
    const needs = stated(container, name) ?? ZERO;
    if (container.restartPolicy === "Always") {
      sidecars = add(sidecars, needs);
      peak = larger(peak, sidecars);
    } else {
      peak = larger(peak, add(sidecars, needs));
    }
  }
  const together = containers.reduce((sum, one) => add(sum, stated(one, name) ?? ZERO), sidecars);
  const extra = quantity("the overhead", name, overhead[name]) ?? ZERO;
  return add(own ?? larger(peak, together), extra);
}

/** Pod-level resources (Kubernetes 1.32), in the shape of a container's. */
function podLevel({ spec }: Pod): Pick<Container, "name" | "resources"> {
  const { resources } = (spec ?? {}) as { resources?: Container["resources"] };
  return { name: "", ...(resources && { resources }) };
}

function stated(
  { name: container, resources }: Pick<Container, "name" | "resources">,
  name: string,
): Fraction | undefined {
  const where = container === "" ? "the pod" : `the container "${container}"`;
  return quantity(where, name, resources?.limits?.[name] ?? resources?.requests?.[name]);
}

function quantity(
  where: string,
  name: string,
  text: string | number | null | undefined,
): Fraction | undefined {
  if (text === undefined || text === null) return undefined;
  const amount = parseQuantity(String(text));
  if (amount !== undefined) return amount;
  const shown = JSON.stringify(String(text).slice(0, 40));
  throw new PluginError(
    "invalid",
    `The ${name} of ${where}, ${shown}, is not a quantity; write for example 500m, 2 or 1.5Gi.`,
  );
}

function add(a: Fraction, b: Fraction): Fraction {
  return {
    numerator: a.numerator * b.denominator + b.numerator * a.denominator,
    denominator: a.denominator * b.denominator,
  };
}

function larger(a: Fraction, b: Fraction): Fraction {
  return a.numerator * b.denominator >= b.numerator * a.denominator ? a : b;
}
