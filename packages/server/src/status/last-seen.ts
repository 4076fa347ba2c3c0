import type { RemotePodStatus } from "@interlink/protocol";
import type { ContainerStatus } from "kubernetes-types/core/v1.js";

/** A pod's state in one word, for metrics and logs only. */
export type PodState = "waiting" | "running" | "succeeded" | "failed";
export const POD_STATES: readonly PodState[] = ["waiting", "running", "succeeded", "failed"];

/** One word for all containers; the pod status that users see is made by the virtual node, not here. */
export function podState(status: RemotePodStatus): PodState {
  if (status.extension?.failed !== undefined) return "failed";
  const { containers } = status;
  const exitCode = ({ state }: ContainerStatus) => state?.terminated?.exitCode;
  if (containers.length > 0 && containers.every((container) => exitCode(container) !== undefined)) {
    return containers.every((container) => exitCode(container) === 0) ? "succeeded" : "failed";
  }
  return containers.some(({ state }) => state?.running !== undefined) ? "running" : "waiting";
}

const MAX_PODS = 100_000;

/**
 * What was last heard of each pod. Never an answer to anybody: it counts pods by state for the metrics, tells changes
 * to the log, and names the job in the lines about a pod.
 */
export class LastSeen {
  private readonly states = new Map<string, PodState>();
  private readonly jobs = new Map<string, string>();
  private readonly onChange: (
    status: RemotePodStatus,
    from: PodState | undefined,
    to: PodState,
  ) => void;

  constructor(
    onChange: (status: RemotePodStatus, from: PodState | undefined, to: PodState) => void,
  ) {
    this.onChange = onChange;
  }

  saw(status: RemotePodStatus): void {
    if (status.extension?.gone === true) {
      this.forget(status.UID);
      return;
    }
    this.created(status.UID, status.JID);
    const from = this.states.get(status.UID);
    const to = podState(status);
    if (from === to) return;
    keep(this.states, status.UID, to);
    this.onChange(status, from, to);
  }

  forget(uid: string): void {
    this.states.delete(uid);
    this.jobs.delete(uid);
  }

  /** The plugin named the pod's job; empty while it has none. */
  created(uid: string, job: string): void {
    if (job !== "") keep(this.jobs, uid, job);
  }

  /** The id of the pod's job as last heard. */
  jobOf(uid: string): string | undefined {
    return this.jobs.get(uid);
  }

  /** Pods by state, states without a pod included. */
  counts(): Record<PodState, number> {
    const counts: Record<PodState, number> = { waiting: 0, running: 0, succeeded: 0, failed: 0 };
    for (const state of this.states.values()) counts[state]++;
    return counts;
  }
}

/** Sets it; the oldest goes when there are too many. */
function keep<T>(map: Map<string, T>, uid: string, value: T): void {
  const [oldest] = map.keys();
  if (oldest !== undefined && map.size >= MAX_PODS && !map.has(uid)) map.delete(oldest);
  map.set(uid, value);
}
