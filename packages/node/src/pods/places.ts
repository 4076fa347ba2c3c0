import { type KubeClient, paths } from "@interlink/kube";
import type { Node } from "kubernetes-types/core/v1.js";
import { isTerminalPhase } from "../status/phase.ts";
import { Admission } from "./admission/admission.ts";
import type { Rejection } from "./admission/admit.ts";
import type { PodRecord } from "./pod-record.ts";

export interface PlacesContext {
  nodeName: string;
  client: Pick<KubeClient, "get">;
  /** The node object as it was seen last; `undefined` while there is none. */
  node: () => Node | undefined;
}

/**
 * Gives the pods of this node their places, once, when they are first seen. A pod that was accepted by an earlier life
 * of this node keeps its place (kubelet-contract.md 3.1). The node object that is held may be older than what the
 * scheduler knew; so a pod that seems to have no room is turned away only after a fresh look at the node.
 */
export class Places {
  readonly #context: PlacesContext;
  readonly #admission = new Admission();

  constructor(context: PlacesContext) {
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

  /** The last word about a pod that seemed to have no room. Rejects when the API server does not answer. */
  async settle(record: PodRecord, signal: AbortSignal): Promise<Rejection | undefined> {
    const { client, nodeName } = this.#context;
    const node = await client.get<Node>(paths.nodes.named(nodeName), { signal });
    const verdict = this.#admission.admit(record.pod, node);
    delete record.unplaced;
    return verdict;
  }

  forget(uid: string): void {
    this.#admission.release(uid);
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
