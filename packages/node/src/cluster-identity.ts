import { Backoff, isKubeError, isPassing, type KubeClient, paths, pause } from "@interlink/kube";
import type { Namespace, Service } from "kubernetes-types/core/v1.js";

/**
 * Who we are over restarts and among clusters that share a site: what names the cluster, and the node's name. The UID of
 * namespace kube-system names a cluster for good; a node that calls itself `system:node:NAME` may not read it, and goes
 * by the UID of the service `kubernetes`. Throws KubeError `forbidden` when the cluster does not let us read it.
 */
export async function nodeIdentity(
  client: KubeClient,
  nodeName: string,
  restricted: boolean,
  signal: AbortSignal,
): Promise<string | undefined> {
  const path = restricted
    ? paths.services.named("default", "kubernetes")
    : paths.namespaces.named("kube-system");
  try {
    const { metadata } = await client.get<Namespace | Service>(path, { signal });
    return metadata?.uid ? `${metadata.uid}/${nodeName}` : undefined;
  } catch (error) {
    if (isKubeError(error, "not-found")) return undefined;
    throw error;
  }
}

/** How long a refusal at the start is taken for one of an API server that knows no roles yet. */
const REFUSED_MS = 10_000;

/**
 * Tries for as long as the API server is away, and a while when it refuses. Rejects with what is no outage, or when the
 * signal fires.
 */
export async function untilAnswered<T>(
  ask: () => Promise<T>,
  problem: (error: Error) => void,
  signal: AbortSignal,
  refusedMs = REFUSED_MS,
): Promise<T> {
  const backoff = new Backoff({ firstMs: 200, capMs: 10_000, jitter: 0.5 });
  let refusedSince: number | undefined;
  for (;;) {
    try {
      return await ask();
    } catch (error) {
      if (isKubeError(error, "forbidden")) refusedSince ??= performance.now();
      const patient = refusedSince === undefined || performance.now() - refusedSince < refusedMs;
      const mayPass = isPassing(error) || isKubeError(error, "forbidden");
      if (!mayPass || !patient || signal.aborted) throw error;
      if (backoff.failures === 0) problem(error);
      await pause(backoff.next(Date.now()), signal);
    }
  }
}
