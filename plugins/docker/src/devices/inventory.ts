import type { Container, Pod } from "kubernetes-types/core/v1.js";
import { ceilQuantity } from "../pods/quantity.ts";

/** One thing that a single container has at a time. */
export interface DeviceUnit {
  /** For NVIDIA its UUID or index, for CDI its whole name (`vendor.com/class=name`), else a name of the operator's. */
  id: string;
  /** Device nodes of the host, given under the same path. */
  devices?: readonly string[];
}

/** An extended resource, such as `nvidia.com/gpu`, and what there is of it. */
export interface DeviceResource {
  resource: string;
  /** How containers get it. Default `nodes`, and `amd`: by its device nodes. */
  kind?: "nodes" | "nvidia" | "amd" | "cdi";
  units: readonly DeviceUnit[];
  /** Device nodes that come with every unit, e.g. `/dev/kfd`. */
  shared?: readonly string[];
}

/** As an operator writes it: without units, the plugin looks for them when it starts. */
export type DeviceSetting = Omit<DeviceResource, "units"> & Partial<Pick<DeviceResource, "units">>;

/** Ids of units by resource. */
export type DeviceIds = Readonly<Record<string, readonly string[]>>;

/** Which units each container has, by its name. */
export type PodDevices = Readonly<Record<string, DeviceIds>>;

/** There are not enough units. */
export interface DeviceShortage {
  resource: string;
  requested: number;
  available: number;
}

/** Resources that are not devices. Hugepages are counted by the kernel alone. */
const PLAIN = /^(cpu|memory|ephemeral-storage|storage|pods|hugepages-.*)$/;

/** Extended resources that a container asks for, with how many. */
export function wantedDevices({ resources }: Pick<Container, "resources">): Map<string, number> {
  const limits: Partial<Record<string, string>> = resources?.limits ?? {};
  const wanted = new Map<string, number>();
  for (const [name, amount] of Object.entries(limits)) {
    const count = PLAIN.test(name) || amount === undefined ? 0 : ceilQuantity(amount);
    if (count > 0) wanted.set(name, count);
  }
  return wanted;
}

/** Resource to amount, as a node tells it. */
export function deviceCapacity(inventory: readonly DeviceResource[]): Record<string, string> {
  return Object.fromEntries(inventory.map(({ resource, units }) => [resource, `${units.length}`]));
}

/** Why the pod can never have its devices here; `undefined` if it can. */
export function deviceProblem(pod: Pod, inventory: readonly DeviceResource[]): string | undefined {
  const all = Object.fromEntries(inventory.map(({ resource, units }) => [resource, idsOf(units)]));
  const shortage = shortageOf(assignDevices(pod, all));
  if (shortage === undefined) return undefined;
  const { resource, requested, available } = shortage;
  return available === 0 && !Object.hasOwn(all, resource)
    ? `The pod asks for ${resource}, which this plugin does not have (${Object.keys(all).join(", ") || "it has no devices at all"}).`
    : `The pod asks for ${requested} of ${resource}, of which this plugin has ${available}.`;
}

/**
 * Gives each container its own of what is `free`. Ordinary init containers are over before the others start, so they
 * borrow what these will have (Kubernetes `pkg/kubelet/cm/devicemanager`).
 */
export function assignDevices(pod: Pod, free: DeviceIds): PodDevices | DeviceShortage {
  const init = pod.spec?.initContainers ?? [];
  const sidecars = init.filter(isSidecar);
  const lasting = [...sidecars, ...(pod.spec?.containers ?? [])];
  const given: Record<string, Record<string, readonly string[]>> = {};
  const taken = new Map<string, number>();
  const give = (container: Container, from: ReadonlyMap<string, number>, keeps: boolean) => {
    for (const [resource, requested] of wantedDevices(container)) {
      const ids = Object.hasOwn(free, resource) ? (free[resource] ?? []) : [];
      const start = from.get(resource) ?? 0;
      const own = ids.slice(start, start + requested);
      if (own.length < requested) {
        return { resource, requested: start + requested, available: ids.length };
      }
      (given[container.name] ??= {})[resource] = own;
      if (keeps) taken.set(resource, start + requested);
    }
    return undefined;
  };
  for (const container of init) {
    const shortage = give(container, taken, isSidecar(container));
    if (shortage !== undefined) return shortage;
  }
  for (const container of lasting.slice(sidecars.length)) {
    const shortage = give(container, taken, true);
    if (shortage !== undefined) return shortage;
  }
  return given;
}

/** Whether an answer of {@link assignDevices} tells that there are too few. */
export function shortageOf(answer: PodDevices | DeviceShortage): DeviceShortage | undefined {
  return typeof (answer as DeviceShortage).resource === "string"
    ? (answer as DeviceShortage)
    : undefined;
}

export function idsOf(units: readonly DeviceUnit[]): string[] {
  return units.map(({ id }) => id);
}

function isSidecar({ restartPolicy }: Container): boolean {
  return restartPolicy === "Always";
}
