import type { ContainerHandle } from "../../runtime/container-runtime.ts";
import type { Action } from "../decision.ts";
import { eventTexts } from "../event-texts.ts";
import { withAttempt } from "../record.ts";
import type { PodWork } from "../work.ts";
import { aboutWork, currentAttempt } from "../work.ts";
import { runHook } from "./hooks.ts";

/** Run the preStop hook. Failed or given up when the grace is over, the stop goes on all the same. */
export async function runPreStop(
  work: PodWork,
  name: string,
  attempt: number,
  signal: AbortSignal,
): Promise<void> {
  const { parts } = work;
  const found = currentAttempt(work, name, attempt);
  const hook = found?.planned.container.lifecycle?.preStop;
  if (found === undefined || hook === undefined) return;
  try {
    await runHook(parts, found.handle, found.planned.container, hook, signal);
  } catch (error) {
    const { stop } = currentAttempt(work, name, attempt)?.current ?? {};
    // Aborted before its time: the container has ended, or this process is being stopped and the next one runs it again.
    if (signal.aborted && (stop === undefined || parts.clock.now() < stop.deadline)) throw error;
    parts.logger.info({ ...aboutWork(work), err: error, container: name }, "preStop hook failed");
    if (!signal.aborted) work.tell(eventTexts.preStopFailed(name));
  }
  work.change((record) =>
    withAttempt(record, name, attempt, (current) =>
      current.stop === undefined
        ? current
        : { ...current, stop: { ...current.stop, preStopDone: true } },
    ),
  );
}

export async function stop(
  work: PodWork,
  action: Action & { type: "stop" },
  signal: AbortSignal,
): Promise<void> {
  const { parts, plan } = work;
  const found = currentAttempt(work, action.container, action.attempt);
  if (found === undefined || found.current.state === "exited") return;
  const stopping = parts.runtime.stopContainer(found.handle, action.graceSeconds, signal);
  if (work.record().deletion !== undefined) parts.checkpoint("delete.stop-sent");
  await stopping;
  if (found.current.state === "created") {
    const finishedAt = parts.clock.now();
    work.change((record) =>
      withAttempt(record, action.container, action.attempt, (current) =>
        current.state === "created"
          ? {
              ...current,
              state: "exited",
              exitCode: 137,
              reason: "Error",
              message: "The container was stopped before it was started.",
              finishedAt,
            }
          : current,
      ),
    );
  }
  // Only the runtime knows how it ended.
  work.stoppedAtTick.set(`${action.container} ${action.attempt}`, parts.tick());
  parts.refresh(plan.uid);
}

export async function removeContainer(
  work: PodWork,
  name: string,
  attempt: number,
  signal: AbortSignal,
): Promise<void> {
  const { parts, plan } = work;
  const is = (seen: ContainerHandle) => seen.containerName === name && seen.attempt === attempt;
  const id = work.observed.find(is)?.id;
  if (id === undefined) return;
  const handle = { uid: plan.uid, containerName: name, attempt, id };
  await parts.runtime.removeContainer(handle, signal);
  work.observed = work.observed.filter((seen) => !is(seen));
}

/** How everything ended is on disk before it is removed: a crash in between must not lose it. */
export async function removeSandbox(work: PodWork, signal: AbortSignal): Promise<void> {
  const { parts, plan } = work;
  await work.save();
  parts.checkpoint("delete.containers-ended");
  await parts.runtime.removeSandbox(plan.uid, signal);
  work.sandbox = "removed";
  parts.checkpoint("delete.sandbox-removed");
}

export async function finish(work: PodWork): Promise<void> {
  const { parts, plan } = work;
  await parts.store.remove(plan.uid, work.finalStatus());
  parts.checkpoint("delete.tombstoned");
  parts.gone(plan.uid);
}
