import { ProtocolError } from "@interlink/protocol";
import type { Pod } from "kubernetes-types/core/v1.js";

/** Annotation of a pod: the name of the plugin that it wants. */
export const PLUGIN_ANNOTATION = "interlink.eu/plugin";

/** What decides which plugin a new pod goes to. */
export interface PluginRules {
  names: readonly string[];
  /** Names of virtual nodes, each with the plugin that their pods go to. */
  byNode: ReadonlyMap<string, string>;
  /** For all others. */
  otherwise: string | undefined;
}

/**
 * The plugin of a pod that has none yet: the one by whose path the request came, which its annotation may not contradict;
 * else the one of its annotation, of its node, the default. Throws ProtocolError `invalid` when there is none, in words for
 * the pod's author.
 */
export function choosePlugin(pod: Pod, path: string | undefined, rules: PluginRules): string {
  const wanted = pod.metadata?.annotations?.[PLUGIN_ANNOTATION];
  const there = `there are ${rules.names.join(", ")}`;
  if (wanted !== undefined && !rules.names.includes(wanted)) {
    throw new ProtocolError(
      "invalid",
      `the pod's annotation ${PLUGIN_ANNOTATION} names the plugin ${JSON.stringify(wanted.slice(0, 100))}; ${there}`,
    );
  }
  if (path !== undefined && wanted !== undefined && wanted !== path) {
    throw new ProtocolError(
      "invalid",
      `the pod's annotation ${PLUGIN_ANNOTATION} names the plugin ${wanted}, and its node serves only ${path}`,
    );
  }
  const chosen = path ?? wanted ?? rules.byNode.get(pod.spec?.nodeName ?? "") ?? rules.otherwise;
  if (chosen === undefined) {
    throw new ProtocolError(
      "invalid",
      `the pod names no plugin by its annotation ${PLUGIN_ANNOTATION}, and this API server has no default; ${there}`,
    );
  }
  return chosen;
}
