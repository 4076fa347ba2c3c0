import type { ObservedContainer } from "../runtime/container-runtime.ts";
import type { EventText } from "./event-texts.ts";
import type { PlannedPod } from "./planned-pod.ts";
import type { Attempt, PodRecord } from "./record.ts";
import { withAttempt } from "./record.ts";

/** One step at the runtime. Level-triggered: decided again until the record shows that it is done. */
export type Action =
  | { type: "ensureSandbox" }
  | { type: "ensureImage"; container: string; attempt: number }
  | { type: "createContainer"; container: string; attempt: number }
  | { type: "startContainer"; container: string; attempt: number }
  | { type: "runPostStart"; container: string; attempt: number }
  | { type: "runPreStop"; container: string; attempt: number; deadline: number }
  | {
      type: "stop";
      container: string;
      attempt: number;
      graceSeconds: number;
      /** Tells a stop that was shortened from the one before. */
      deadline: number;
    }
  | { type: "removeContainer"; container: string; attempt: number }
  | { type: "stopSandbox" }
  | { type: "removeSandbox" }
  | { type: "finish" };

/** The same step has the same key; two steps of one key never run at once. */
export function actionKey(action: Action): string {
  if (!("container" in action)) return action.type;
  const key = `${action.type} ${action.container} ${action.attempt}`;
  return action.type === "stop" ? `${key} ${action.deadline}` : key;
}

/** What the probes of a container's attempt say. */
export interface ProbeSummary {
  attempt: number;
  startup: boolean;
  ready: boolean;
  /** It must be killed for this one. */
  failed?: "liveness" | "startup";
}

/** What is known only while this process lives. */
export interface PodMemory {
  readonly sandbox: "unknown" | "ready" | "removed";
  /** Images made present, by container, for one attempt. */
  readonly images: ReadonlyMap<string, { attempt: number; imageID: string }>;
  readonly probes: ReadonlyMap<string, ProbeSummary>;
  readonly observed: readonly ObservedContainer[];
  /** Keys of the actions under way. */
  readonly inFlight: ReadonlySet<string>;
}

export interface Situation {
  readonly plan: PlannedPod;
  readonly record: PodRecord;
  readonly memory: PodMemory;
  readonly now: number;
}

export interface Decision {
  /** The record with what was decided written into it. */
  record: PodRecord;
  actions: Action[];
  events: EventText[];
  /** Decide again then even if nothing happens. Absent: only when something happens. */
  wakeAt?: number;
}

/** Collects a decision while it is being made. */
export class Draft {
  readonly plan: PlannedPod;
  readonly memory: PodMemory;
  readonly now: number;
  record: PodRecord;
  readonly actions: Action[] = [];
  readonly events: EventText[] = [];
  #wakeAt = Number.POSITIVE_INFINITY;

  constructor(situation: Situation) {
    this.plan = situation.plan;
    this.memory = situation.memory;
    this.now = situation.now;
    this.record = situation.record;
  }

  wake(at: number): void {
    if (at > this.now) this.#wakeAt = Math.min(this.#wakeAt, at);
  }

  change(name: string, attempt: number, change: (attempt: Attempt) => Attempt): void {
    this.record = withAttempt(this.record, name, attempt, change);
  }

  done(): Decision {
    const { record, actions, events } = this;
    return {
      record,
      actions,
      events,
      ...(Number.isFinite(this.#wakeAt) && { wakeAt: this.#wakeAt }),
    };
  }
}
