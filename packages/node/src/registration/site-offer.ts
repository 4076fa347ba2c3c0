import { canonicalQuantity, parseQuantity, tryParseQuantity } from "@interlink/kube";
import type { PingAnswer } from "@interlink/protocol";
import type { Taint } from "kubernetes-types/core/v1.js";
import { DEFAULT_CAPACITY, type NodeOptions, VIRTUAL_NODE_TAINT } from "./node-options.ts";

/** What the node offers to the scheduler: from the configuration, overridden by what the site's ping says. */
export interface SiteOffer {
  /** Resource name → canonical quantity. */
  capacity: Readonly<Record<string, string>>;
  /** What the configuration says, for what the site offers no longer. */
  configured: Readonly<Record<string, string>>;
  /** The virtual node's own taint, unless it is left out: a site cannot change it. */
  ownTaints: readonly Taint[];
  /** All taints that are ours, the virtual node's own first. */
  taints: readonly Taint[];
}

/** The offer before the first ping. Throws KubeError `invalid` when a configured quantity cannot be read. */
export function configuredOffer(options: NodeOptions): SiteOffer {
  const capacity = Object.fromEntries(
    Object.entries({ ...DEFAULT_CAPACITY, ...options.capacity }).map(([name, text]) => [
      name,
      canonicalQuantity(text),
    ]),
  );
  const ownTaints = options.defaultTaint === false ? [] : [VIRTUAL_NODE_TAINT];
  return {
    ownTaints,
    capacity,
    configured: capacity,
    taints: withOwnTaints(ownTaints, options.taints ?? []),
  };
}

/**
 * The offer after a ping (reference: interlink-wire-and-node 3.4). What the answer leaves out stays as it was; what it
 * says wrongly (a negative amount would make the API server refuse the node's status for ever) stays too and is told
 * in `problems`.
 */
export function offerAfterPing(
  offer: SiteOffer,
  answer: PingAnswer,
): { offer: SiteOffer; problems: string[] } {
  const problems: string[] = [];
  const { ownTaints, configured } = offer;
  const capacity: Record<string, string> = { ...offer.capacity };
  const set = (name: string, text: string | undefined, whole: boolean): void => {
    if (text === undefined) return;
    const amount = usableAmount(text, whole);
    if (amount === undefined) problems.push(`the site offers ${name} "${text.slice(0, 80)}"`);
    else capacity[name] = amount;
  };
  const { resources } = answer;
  set("cpu", resources?.cpu, false);
  set("memory", resources?.memory, false);
  set("pods", resources?.pods, true);
  set("ephemeral-storage", resources?.["ephemeral-storage"], false);
  // A list is the whole of what there is: what an earlier one had besides is gone.
  if (resources?.accelerators !== undefined) {
    for (const name of Object.keys(capacity).filter(isResourceName)) delete capacity[name];
    for (const [name, amount] of Object.entries(configured)) {
      if (isResourceName(name)) capacity[name] = amount;
    }
  }
  for (const { resourceType, available } of resources?.accelerators ?? []) {
    if (isResourceName(resourceType)) set(resourceType, available, true);
    else problems.push(`the site offers a resource named "${resourceType.slice(0, 80)}"`);
  }
  const taints =
    answer.taints === undefined ? offer.taints : withOwnTaints(ownTaints, answer.taints);
  return { offer: { capacity, configured, ownTaints, taints }, problems };
}

/** Canonical, or undefined when it is not an amount of something. */
function usableAmount(text: string, whole: boolean): string | undefined {
  const quantity = tryParseQuantity(text);
  if (quantity === undefined || quantity.nanos < 0n) return undefined;
  if (whole && quantity.nanos % parseQuantity("1").nanos !== 0n) return undefined;
  return canonicalQuantity(text);
}

/** An extended resource: `domain/name`, of characters that Kubernetes allows. */
function isResourceName(name: string): boolean {
  return /^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?\/[A-Za-z0-9]([-\w.]{0,61}[A-Za-z0-9])?$/.test(name);
}

const effects = new Set(["NoSchedule", "PreferNoSchedule", "NoExecute"]);

function withOwnTaints(
  ownTaints: readonly Taint[],
  taints: readonly { key: string; value?: string; effect?: string }[],
): Taint[] {
  const seen = new Set<string>();
  const others = taints.flatMap(({ key, value, effect = "" }): Taint[] => {
    const taint = { key, effect: effects.has(effect) ? effect : "NoSchedule" };
    const id = taintId(taint);
    if (key === "" || key === VIRTUAL_NODE_TAINT.key || seen.has(id)) return [];
    seen.add(id);
    return [value === undefined || value === "" ? taint : { ...taint, value }];
  });
  return [...ownTaints, ...others];
}

/** Kubernetes knows a taint by key and effect. */
export function taintId(taint: { key: string; effect: string }): string {
  return `${taint.key}:${taint.effect}`;
}
