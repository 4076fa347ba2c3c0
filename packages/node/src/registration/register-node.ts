import { Backoff, isKubeError, type KubeClient, paths, pause } from "@interlink/kube";
import type { Node } from "kubernetes-types/core/v1.js";

/**
 * Creates the Node, or finds the one that is there, however long that takes. Never deletes one: its pods would go with
 * it. `refused` is told the first refusal. Undefined when the signal fired first.
 */
export async function registerNode(
  client: KubeClient,
  name: string,
  wanted: () => Node,
  refused: (error: unknown) => void,
  signal: AbortSignal,
): Promise<Node | undefined> {
  const backoff = new Backoff({ firstMs: 100, capMs: 7000, jitter: 0 });
  while (!signal.aborted) {
    try {
      return await createOrGet(client, name, wanted(), signal);
    } catch (error) {
      if (signal.aborted) return undefined;
      if (backoff.failures === 0) refused(error);
      await pause(backoff.next(Date.now()), signal);
    }
  }
  return undefined;
}

async function createOrGet(
  client: KubeClient,
  name: string,
  wanted: Node,
  signal: AbortSignal,
): Promise<Node> {
  try {
    return await client.create<Node>(paths.nodes.collection(), wanted, { signal });
  } catch (error) {
    // Forbidden: some clusters let a node be made by others only.
    if (!isKubeError(error, "already-exists", "conflict", "forbidden")) throw error;
    try {
      return await client.get<Node>(paths.nodes.named(name), { signal });
    } catch (inner) {
      // The refusal to create says more than "not found".
      throw isKubeError(inner, "not-found") ? error : inner;
    }
  }
}
