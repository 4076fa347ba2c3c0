import { type InterlinkClient, ProtocolError, type RemotePodStatus } from "@interlink/protocol";
import type { Pod } from "kubernetes-types/core/v1.js";

const AT_ONCE = 8;

/**
 * The plugin's answer about these pods; unknown ones are left out.
 *
 * A plugin of the extension answers lists. Plugins of the base protocol often do not: some look only at the first
 * element, some answer 404 for the whole list when one pod is unknown (reference: interlink-other-plugins.md
 * section 1), because a Go virtual node asks for one pod at a time. What such a plugin leaves out of a list is
 * therefore asked again alone, and only then believed. Throws ProtocolError when any part of the answer is not known.
 */
export async function askPlugin(
  plugin: InterlinkClient,
  pods: readonly Pod[],
  answersLists: boolean,
  signal: AbortSignal,
): Promise<RemotePodStatus[]> {
  if (pods.length === 0) return [];
  if (answersLists) return plugin.status(pods, { signal });
  if (pods.length === 1) return askAlone(plugin, pods, signal);
  let told: RemotePodStatus[] = [];
  try {
    told = await plugin.status(pods, { signal });
  } catch (error) {
    if (!isNotFound(error)) throw error;
  }
  const known = new Set(told.map(({ UID }) => UID));
  const open = pods.filter(({ metadata }) => !known.has(metadata?.uid ?? ""));
  const alone = async (): Promise<RemotePodStatus[]> => {
    const answers: RemotePodStatus[] = [];
    for (let pod = open.shift(); pod !== undefined; pod = open.shift()) {
      answers.push(...(await askAlone(plugin, [pod], signal)));
    }
    return answers;
  };
  const more = await Promise.all(Array.from({ length: Math.min(AT_ONCE, open.length) }, alone));
  return [...told, ...more.flat()];
}

/** A lone 404 means "unknown pod", unless the plugin cannot be pinged either: then it is the path that is wrong. */
async function askAlone(
  plugin: InterlinkClient,
  pod: readonly Pod[],
  signal: AbortSignal,
): Promise<RemotePodStatus[]> {
  try {
    return await plugin.status(pod, { signal });
  } catch (error) {
    if (!isNotFound(error)) throw error;
    await plugin.ping({ signal });
    return [];
  }
}

function isNotFound(error: unknown): boolean {
  return error instanceof ProtocolError && error.code === "refused" && error.httpStatus === 404;
}
