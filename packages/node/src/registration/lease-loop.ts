import {
  Backoff,
  createKubeClient,
  loadKubeCredentials,
  pause,
  renewNodeLease,
} from "@interlink/kube";
import type { Lease } from "kubernetes-types/coordination/v1.js";
import type { LeaseReport, LeaseWorkerData } from "./lease-protocol.ts";

/** How far a renewal may be moved at random, as a part of the interval, so that nodes do not renew all at once. */
const JITTER = 0.04;

/**
 * Renews the node's lease until the signal fires, with a client of its own. `nodeUid` is undefined as long as the Node
 * object does not exist: then nothing is written, because the lease could not name its owner. Never rejects.
 */
export async function runLeaseLoop(
  data: LeaseWorkerData,
  nodeUid: () => string | undefined,
  report: (report: LeaseReport) => void,
  signal: AbortSignal,
): Promise<void> {
  const { credentials, nodeName, leaseSeconds, renewMs } = data;
  const backoff = new Backoff({ firstMs: 100, capMs: 7000, jitter: 0 });
  const failed = async (error: unknown): Promise<void> => {
    const message = error instanceof Error ? error.message : String(error);
    report({ type: "failed", atMs: Date.now(), message });
    await pause(Math.min(renewMs, backoff.next(Date.now())), signal);
  };
  while (!signal.aborted) {
    const client = await loadKubeCredentials(credentials)
      .then((loaded) => createKubeClient(loaded))
      .catch(failed);
    if (client === undefined) continue;
    let known: Lease | undefined;
    while (!signal.aborted) {
      const uid = nodeUid();
      if (uid === undefined) {
        await pause(Math.min(renewMs, 100), signal);
        continue;
      }
      const holder = { nodeName, nodeUid: uid, durationSeconds: leaseSeconds };
      const started = Date.now();
      try {
        const options = { now: () => new Date(), signal, timeoutMs: Math.max(renewMs, 5000) };
        known = await renewNodeLease(client, holder, known, options);
        backoff.reset();
        report({ type: "renewed", atMs: Date.now() });
        const next = renewMs * (1 + JITTER * Math.random());
        await pause(Math.max(0, started + next - Date.now()), signal);
      } catch (error) {
        known = undefined;
        if (!signal.aborted) await failed(error);
      }
    }
    await client.close();
  }
}
