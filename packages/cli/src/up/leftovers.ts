import { pause } from "@interlink/kube";
import type { Provider } from "@interlink/plugin-sdk";
import type { RemotePodStatus } from "@interlink/protocol";

/** Seconds that a pod of an earlier run gets to end. */
const GRACE_SECONDS = 5;
const LOOK_EVERY_MS = 100;

/**
 * Delete what an earlier `interlink up` left running when it was killed: its cluster is gone, so nobody else ever will.
 * Resolves with the names of the pods that are still there when `signal` fires.
 */
export async function clearLeftovers(
  provider: Pick<Provider, "status" | "delete">,
  signal: AbortSignal,
  progress: (text: string) => void,
): Promise<string[]> {
  let left: RemotePodStatus[] = [];
  const asked = new Set<string>();
  try {
    for (;;) {
      left = (await provider.status("all", signal)).filter(({ extension }) => !extension?.gone);
      if (left.length === 0) return [];
      progress(`stopping ${count(left.length)} of an earlier run`);
      for (const pod of left) {
        if (asked.has(pod.UID)) continue;
        asked.add(pod.UID);
        await provider.delete(deletion(pod), signal);
      }
      await pause(LOOK_EVERY_MS, signal);
      signal.throwIfAborted();
    }
  } catch (error) {
    if (signal.aborted) return left.map(({ name }) => name);
    throw error;
  }
}

function deletion({ UID, name, namespace }: RemotePodStatus) {
  return { metadata: { uid: UID, name, namespace, deletionGracePeriodSeconds: GRACE_SECONDS } };
}

function count(pods: number): string {
  return pods === 1 ? "a pod" : `${pods} pods`;
}
