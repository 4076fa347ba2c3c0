import { waitsUntil } from "./back-off.ts";
import type { Decision, Situation } from "./decision.ts";
import { Draft } from "./decision.ts";
import { eventTexts } from "./event-texts.ts";
import type { PlannedContainer } from "./planned-pod.ts";
import { isOfOtherImage } from "./planned-pod.ts";
import type { PodRecord } from "./record.ts";
import { containerRecord, isLost, withContainer } from "./record.ts";
import { progress } from "./start-order.ts";
import { advanceStop, intendStop, isLive } from "./termination-order.ts";
import { ERROR_SHOWN_MS, targetTrouble } from "./waiting.ts";

/** A kubelet's, where a pod exceeds its local storage. */
const EVICTION_GRACE_MS = 1_000;

/**
 * What to do now about one pod. Pure and level-triggered: called after every change and at `wakeAt`, after a crash
 * with the record from disk and a fresh look at the runtime, it always leads to the same end.
 */
export function decide(situation: Situation): Decision {
  const draft = new Draft(situation);
  if (draft.record.deletion !== undefined) decideDeletion(draft);
  else if (draft.record.eviction !== undefined) decideEviction(draft, draft.record.eviction);
  else if (draft.record.failed === undefined) decideRun(draft);
  removeOldAttempts(draft);
  return draft.done();
}

function decideRun(draft: Draft): void {
  const { plan, memory, now } = draft;
  for (const { name, container } of plan.all) {
    const { current } = containerRecord(draft.record, name);
    const probes = memory.probes.get(name);
    if (current?.state !== "running" || probes?.attempt !== current.attempt) continue;
    if (probes.failed === undefined) continue;
    const probe = probes.failed === "liveness" ? container.livenessProbe : container.startupProbe;
    const grace = probe?.terminationGracePeriodSeconds ?? plan.graceSeconds;
    intendStop(draft, name, probes.failed, now + grace * 1000);
  }
  for (const planned of plan.all) {
    const { current } = containerRecord(draft.record, planned.name);
    if (planned.kind === "init" || current?.state !== "running") continue;
    if (!isOfOtherImage(planned, current)) continue;
    intendStop(draft, planned.name, "changed", now + plan.graceSeconds * 1000);
  }
  const stragglers = stopLost(draft);
  const { wanted, ephemeral, finished } = progress(plan, draft.record);
  if (finished) {
    for (const { name } of plan.all) {
      intendStop(draft, name, "finished", now + plan.graceSeconds * 1000);
    }
  }
  for (const planned of plan.all) advanceStop(draft, planned);
  if (!finished) {
    if (stragglers) return;
    startNext(draft, wanted);
    for (const planned of ephemeral) startStep(draft, planned);
    return;
  }
  const anyLive = plan.all.some(({ name }) => isLive(containerRecord(draft.record, name).current));
  if (!anyLive && !draft.record.sandboxStopped) draft.actions.push({ type: "stopSandbox" });
}

/** What still runs in a sandbox that was lost ends before anything starts in the new one. Says whether there is any. */
function stopLost(draft: Draft): boolean {
  const { plan, record, now } = draft;
  const lost = plan.all.filter(({ name }) => {
    const { current } = containerRecord(record, name);
    return isLive(current) && isLost(record, name, current);
  });
  for (const { name } of lost) intendStop(draft, name, "sandbox", now + plan.graceSeconds * 1000);
  return lost.length > 0;
}

/** One container at a time, in order; one that has to wait does not hold up those behind it. */
function startNext(draft: Draft, wanted: readonly PlannedContainer[]): void {
  for (const { name, container } of draft.plan.all) {
    const { current } = containerRecord(draft.record, name);
    if (current?.state !== "running" || current.stop !== undefined) continue;
    if (container.lifecycle?.postStart === undefined || current.postStartDone) continue;
    draft.actions.push({ type: "runPostStart", container: name, attempt: current.attempt });
    return;
  }
  for (const planned of wanted) {
    if (startStep(draft, planned)) return;
  }
}

/** Whether something is being done for it now. */
function startStep(draft: Draft, planned: PlannedContainer): boolean {
  const { name, container } = planned;
  const { memory, now } = draft;
  const own = containerRecord(draft.record, name);
  const { current } = own;
  if (memory.sandbox !== "ready") {
    if (draft.actions.every(({ type }) => type !== "ensureSandbox")) {
      draft.actions.push({ type: "ensureSandbox" });
    }
    return true;
  }
  if (current?.state === "created") {
    // Being made unable to start: it has to end first.
    if (current.stop !== undefined) return true;
    draft.actions.push({ type: "startContainer", container: name, attempt: current.attempt });
    return true;
  }
  const attempt = current === undefined ? 0 : current.attempt + 1;
  if (current !== undefined) {
    const until = waitsUntil(own.crash, current.finishedAt ?? now);
    if (until !== undefined && now < until && current.stop?.reason !== "changed") {
      draft.wake(until);
      if (current.startFailed) draft.wake((current.finishedAt ?? now) + ERROR_SHOWN_MS);
      if (own.crashTold !== current.attempt) {
        draft.events.push(eventTexts.crashBackOff(draft.plan, name));
        draft.record = withContainer(draft.record, name, (before) => ({
          ...before,
          crashTold: current.attempt,
        }));
      }
      return false;
    }
  }
  const base = { container: name, attempt };
  if (own.problem !== undefined && now < own.problem.retryAt) {
    draft.wake(own.problem.retryAt);
    return false;
  }
  if (memory.images.get(name)?.attempt === attempt) {
    // It goes on as soon as the target runs, which is news of its own.
    if (targetTrouble(planned, draft.record) !== undefined) return false;
    draft.actions.push({ type: "createContainer", ...base });
    return true;
  }
  const trouble = own.image;
  if (trouble !== undefined) {
    const until = waitsUntil(trouble.backOff, trouble.backOff.updatedAt);
    if (until !== undefined && now < until) {
      draft.wake(until);
      const shown = trouble.backOff.updatedAt + ERROR_SHOWN_MS;
      if (now < shown) draft.wake(shown);
      else if (!trouble.backOffTold) {
        draft.events.push(...eventTexts.imageBackOff(name, container.image ?? ""));
        draft.record = withContainer(draft.record, name, (before) => ({
          ...before,
          image: { ...trouble, backOffTold: true },
        }));
      }
      return false;
    }
  }
  draft.actions.push({ type: "ensureImage", ...base });
  return true;
}

/** Everything ends at once; then the pod has failed, and what it leaves stays until it is deleted. */
function decideEviction(draft: Draft, why: NonNullable<PodRecord["failed"]>): void {
  const { plan } = draft;
  const deadline = draft.now + EVICTION_GRACE_MS;
  for (const { name } of plan.all) intendStop(draft, name, "evicted", deadline);
  for (const planned of plan.all) advanceStop(draft, planned);
  if (mayStillRun(draft)) return;
  if (draft.record.failed === undefined) draft.record = { ...draft.record, failed: why };
  if (!draft.record.sandboxStopped) draft.actions.push({ type: "stopSandbox" });
}

function mayStillRun({ plan, record, memory }: Draft): boolean {
  const live = plan.all.some(({ name }) => isLive(containerRecord(record, name).current));
  // A container may be in the making; only when that is over is it known whether there is something to stop.
  return live || [...memory.inFlight].some((key) => /^(?:create|start|ensure|run)/.test(key));
}

function decideDeletion(draft: Draft): void {
  const { plan, memory } = draft;
  // Wake to kill what is left, and to give up hooks.
  draft.wake(draft.record.deletion?.deadline ?? draft.now);
  const deadline = draft.record.deletion?.deadline ?? draft.now;
  for (const { name } of plan.all) intendStop(draft, name, "delete", deadline);
  for (const planned of plan.all) advanceStop(draft, planned);
  if (mayStillRun(draft)) return;
  draft.actions.push({ type: memory.sandbox === "removed" ? "finish" : "removeSandbox" });
}

/** Kept are the newest attempt and the one before it. */
function removeOldAttempts(draft: Draft): void {
  for (const { containerName, attempt, state } of draft.memory.observed) {
    const { current } = containerRecord(draft.record, containerName);
    if (current === undefined || state !== "exited" || attempt >= current.attempt - 1) continue;
    draft.actions.push({ type: "removeContainer", container: containerName, attempt });
  }
}
