import { isKubeError, type KubeClient, paths } from "@interlink/kube";
import { atOnce } from "../load/at-once.ts";
import { until } from "../parts/until.ts";
import { NAMESPACE } from "./bench-pod.ts";
import type { PodWatch } from "./pod-watch.ts";

/** Deletes every pod in the ordinary way and waits until all are gone. Resolves with how long that took, milliseconds. */
export async function deletePods(
  kube: KubeClient,
  watch: PodWatch,
  signal: AbortSignal,
): Promise<number> {
  const started = performance.now();
  await atOnce(watch.pods(), 32, async ({ metadata }) => {
    try {
      await kube.delete(paths.pods.named(NAMESPACE, metadata?.name ?? ""), undefined, { signal });
    } catch (error) {
      if (!isKubeError(error, "not-found")) throw error;
    }
  });
  await until("all pods are gone", () => watch.size === 0, signal, 120_000);
  return performance.now() - started;
}
