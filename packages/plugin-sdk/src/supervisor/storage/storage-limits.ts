import type { Pod } from "kubernetes-types/core/v1.js";
import { parseQuantity } from "../../resolve/quantity.ts";

/** What a pod may keep in its emptyDirs, and in its containers. Amounts in bytes; `text` as the spec has them. */
export interface StorageLimits {
  /** Every emptyDir on disk, with its own limit if it has one. */
  readonly volumes: readonly { readonly name: string; readonly limit?: Limit }[];
  /** Every container whose own layer can be measured, with its limit if it has one. */
  readonly containers: readonly { readonly name: string; readonly limit?: Limit }[];
  /** For all of them together: the sum of the containers' limits of ephemeral storage. */
  readonly total?: Limit;
}

interface Limit {
  readonly bytes: bigint;
  readonly text: string;
}

const RESOURCE = "ephemeral-storage";

/**
 * `undefined` when nothing that can be measured is limited; `layers`: containers' own layers can be. Volumes in memory are left out: their limit is that of their file system.
 */
export function storageLimits({ spec }: Pod, layers: boolean): StorageLimits | undefined {
  const volumes = (spec?.volumes ?? []).flatMap(({ name, emptyDir }) => {
    if (emptyDir === undefined || emptyDir.medium === "Memory") return [];
    const limit = readLimit(emptyDir.sizeLimit);
    return [{ name, ...(limit && { limit }) }];
  });
  const all = (spec?.containers ?? []).map(({ name, resources }) => {
    const limit = readLimit(resources?.limits?.[RESOURCE]);
    return { name, ...(limit && { limit }) };
  });
  const limits = all.flatMap(({ limit }) => limit ?? []);
  const [first] = limits;
  const bytes = limits.reduce((sum, one) => sum + one.bytes, 0n);
  const total = first && { bytes, text: limits.length === 1 ? first.text : String(bytes) };
  const isLimited = total !== undefined || volumes.some(({ limit }) => limit !== undefined);
  // Without a limit of its own, or of all together, a container need not be measured.
  const containers = layers && total !== undefined ? all : [];
  if ((volumes.length === 0 && containers.length === 0) || !isLimited) return undefined;
  return { volumes, containers, ...(total && { total }) };
}

/**
 * Which limit is exceeded, in a kubelet's order and words (`pkg/kubelet/eviction`, localStorageEviction); `usage` in
 * bytes by volume, `layers` by container.
 */
export function overuse(
  { volumes, containers, total }: StorageLimits,
  usage: ReadonlyMap<string, bigint>,
  layers: ReadonlyMap<string, bigint>,
): string | undefined {
  let sum = 0n;
  for (const { name, limit } of volumes) {
    const used = usage.get(name) ?? 0n;
    if (limit !== undefined && used > limit.bytes) {
      return `Usage of EmptyDir volume "${name}" exceeds the limit "${limit.text}". `;
    }
    sum += used;
  }
  for (const { name } of containers) sum += layers.get(name) ?? 0n;
  if (total !== undefined && sum > total.bytes) {
    return `Pod ephemeral local storage usage exceeds the total limit of containers ${total.text}. `;
  }
  const over = containers.find(
    ({ name, limit }) => limit !== undefined && (layers.get(name) ?? 0n) > limit.bytes,
  );
  return (
    over &&
    `Container ${over.name} exceeded its local ephemeral storage limit "${over.limit?.text}". `
  );
}

/** A limit of nothing is none, as in a kubelet. */
function readLimit(text: string | undefined): Limit | undefined {
  const quantity = text === undefined ? undefined : parseQuantity(text);
  if (text === undefined || quantity === undefined || quantity.numerator <= 0n) return undefined;
  return { bytes: quantity.numerator / quantity.denominator, text };
}
