import type { Draft } from "./decision.ts";
import { eventTexts } from "./event-texts.ts";
import type { PlannedContainer, PlannedPod } from "./planned-pod.ts";
import type { Attempt, PodRecord, StopIntent, StopReason } from "./record.ts";
import { containerRecord } from "./record.ts";

/** Whoever used its grace up in a hook, or waiting for its turn, still gets this long after the stop signal. */
const MINIMUM_GRACE_SECONDS = 2;

/** Whether the newest attempt may still do something. */
export function isLive(attempt: Attempt | undefined): attempt is Attempt {
  return attempt !== undefined && attempt.state !== "exited";
}

/** Write down that a container is to end. A shorter deadline shortens an earlier intent; a longer one does nothing. */
export function intendStop(draft: Draft, name: string, reason: StopReason, deadline: number): void {
  const { current } = containerRecord(draft.record, name);
  if (!isLive(current)) return;
  const before = current.stop;
  if (before !== undefined && before.deadline <= deadline) return;
  if (before === undefined && current.state === "running") {
    draft.events.push(eventTexts.killing(name, reason));
  }
  const stop: StopIntent = { ...before, reason: before?.reason ?? reason, deadline };
  draft.change(name, current.attempt, (attempt) => ({ ...attempt, stop }));
}

/**
 * A sidecar ends after all regular containers and all sidecars behind it (Kubernetes
 * `kuberuntime_termination_order.go`); everything else at once.
 */
export function mustWaitForOthers(
  plan: PlannedPod,
  record: PodRecord,
  planned: PlannedContainer,
): boolean {
  if (planned.kind !== "sidecar") return false;
  const live = (other: PlannedContainer) => isLive(containerRecord(record, other.name).current);
  const behind = plan.init.slice(plan.init.indexOf(planned) + 1);
  return plan.regular.some(live) || behind.some((other) => other.kind === "sidecar" && live(other));
}

/** The next step towards the end of a container that is to stop: preStop hook, its turn, stop signal. */
export function advanceStop(draft: Draft, planned: PlannedContainer): void {
  const { plan, record, now } = draft;
  const { name, container } = planned;
  const { current } = containerRecord(record, name);
  if (!isLive(current) || current.stop === undefined) return;
  const { stop, attempt } = current;
  const { deadline } = stop;
  const base = { container: name, attempt, deadline };
  if (current.state === "created") {
    draft.actions.push({ type: "stop", ...base, graceSeconds: 0 });
    return;
  }
  const hook = container.lifecycle?.preStop;
  if (hook !== undefined && !stop.preStopDone) {
    draft.actions.push({ type: "runPreStop", ...base });
    draft.wake(deadline);
    return;
  }
  const together =
    stop.reason === "delete" || stop.reason === "finished" || stop.reason === "evicted";
  const waits = together && mustWaitForOthers(plan, record, planned);
  if (waits && now < deadline) {
    draft.wake(deadline);
    return;
  }
  const least = hook !== undefined || planned.kind === "sidecar" ? MINIMUM_GRACE_SECONDS : 0;
  const left = Math.ceil((deadline - now) / 1000);
  draft.actions.push({ type: "stop", ...base, graceSeconds: Math.max(least, left, 0) });
}
