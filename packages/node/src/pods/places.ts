import { paths } from "@interlink/kube";
import type { Node } from "kubernetes-types/core/v1.js";
import { isTerminalPhase } from "../status/phase.ts";
import { aboutRecord } from "./about-record.ts";
import { Admission } from "./admission/admission.ts";
import type { Rejection } from "./admission/admit.ts";
import type { PodContext } from "./pod-context.ts";
import { isEnding, type PodRecord } from "./pod-record.ts";
import { retryLater } from "./retry.ts";

/**
 * Gives the pods of this node their places, once, when they are first seen. A pod that was accepted by an earlier life
 * of this node keeps its place (kubelet-contract.md 3.1). The node object that is held may be older than what the
 * scheduler knew; so a pod that seems to have no room is turned away only after a fresh look at the node.
 */
export class Places {
  readonly #context: PodContext;
  readonly #admission = new Admission();

  constructor(context: PodContext) {
    this.#context = context;
  }

  /** The pods that were there before this process, the oldest first, so that each restart decides alike. */
  begin(records: Iterable<PodRecord>): void {
    const byAge = [...records].sort((a, b) => compare(ageOf(a), ageOf(b)));
    for (const record of byAge) if (wasAccepted(record)) this.#admission.take(record.pod);
    for (const record of byAge) this.arrived(record);
  }

  /** Seen for the first time. */
  arrived(record: PodRecord): void {
    if (!runs(record)) return;
    if (wasAccepted(record)) this.#admission.take(record.pod);
    else if (this.#admission.admit(record.pod, this.#context.node())) record.unplaced = true;
  }

  /** Something of the pod has changed. */
  changed(record: PodRecord): void {
    if (!runs(record)) {
      this.#admission.release(record.uid);
      return;
    }
    if (!record.unplaced || record.job !== "there") return;
    // It runs: an earlier life of this node has admitted it.
    delete record.unplaced;
    this.#admission.take(record.pod);
  }

  /**
   * Whether there is room for a pod that is about to go to the site; one that seemed to have none is judged now, and
   * fails if it has none indeed. Rejects only when the signal fires.
   */
  async hasRoom(record: PodRecord, signal: AbortSignal): Promise<boolean> {
    if (!record.unplaced) return true;
    const { client, nodeName, logger, timing } = this.#context;
    let node: Node;
    try {
      node = await client.get<Node>(paths.nodes.named(nodeName), { signal });
    } catch (error) {
      if (signal.aborted) throw error;
      logger.debug({ ...aboutRecord(record), err: error }, "the node object cannot be read");
      retryLater(record, "create", timing.objectRetry, this.#context);
      return false;
    }
    // Reading takes time, and nothing is started for a pod that is to end by now.
    if (isEnding(record)) return false;
    delete record.unplaced;
    const verdict = this.#admission.admit(record.pod, node);
    if (verdict) this.#reject(record, verdict);
    return verdict === undefined;
  }

  /** The pod is over. */
  forget(uid: string): void {
    this.#admission.release(uid);
  }

  #reject(record: PodRecord, { reason, message }: Rejection): void {
    const { events, logger } = this.#context;
    const { pod } = record;
    record.verdict = { reason, message: `Pod was rejected: ${message}`, neverBegan: true };
    record.job = "refused";
    events.warning(pod, reason, message);
    logger.warn({ ...aboutRecord(record), reason, message }, "a pod was rejected");
  }
}

/** Whether anything of the pod runs, or is to run. */
function runs({ absent, pod, job }: PodRecord): boolean {
  return !absent && job !== "refused" && !isTerminalPhase(pod.status?.phase);
}

/** The start time is written when the node has taken the pod; a pod that is being deleted is not judged any more. */
function wasAccepted({ job, pod }: PodRecord): boolean {
  return (
    job === "there" ||
    pod.status?.startTime !== undefined ||
    pod.metadata?.deletionTimestamp !== undefined
  );
}

function ageOf({ pod, uid }: PodRecord): string {
  return `${pod.metadata?.creationTimestamp ?? ""} ${uid}`;
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
