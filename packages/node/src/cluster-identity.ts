import { Backoff, isKubeError, type KubeClient, paths, pause } from "@interlink/kube";
import type { Namespace } from "kubernetes-types/core/v1.js";

/**
 * Who we are over restarts and among clusters that share a site: the UID of namespace kube-system, which names a
 * cluster, and the node's name. `undefined` when the cluster does not let us read it.
 */
export async function nodeIdentity(
  client: KubeClient,
  nodeName: string,
  signal: AbortSignal,
): Promise<string | undefined> {
  try {
    const namespace = await client.get<Namespace>(paths.namespaces.named("kube-system"), {
      signal,
    });
    const uid = namespace.metadata?.uid;
    return uid ? `${uid}/${nodeName}` : undefined;
  } catch (error) {
    if (isKubeError(error, "not-found", "forbidden")) return undefined;
    throw error;
  }
}

/** Tries for as long as the API server is away. Rejects with what is no outage, or when the signal fires. */
export async function untilAnswered<T>(
  ask: () => Promise<T>,
  problem: (error: Error) => void,
  signal: AbortSignal,
): Promise<T> {
  const backoff = new Backoff({ firstMs: 200, capMs: 10_000, jitter: 0.5 });
  for (;;) {
    try {
      return await ask();
    } catch (error) {
      const passing = isKubeError(
        error,
        "unreachable",
        "timeout",
        "server-error",
        "too-many-requests",
      );
      if (!passing || signal.aborted) throw error;
      if (backoff.failures === 0) problem(error);
      await pause(backoff.next(Date.now()), signal);
    }
  }
}
