import { goDuration, waitsUntil } from "./back-off.ts";
import { podLabel } from "./event-texts.ts";
import type { PlannedContainer, PlannedPod } from "./planned-pod.ts";
import type { ContainerRecord, PodRecord } from "./record.ts";
import { containerRecord } from "./record.ts";

export interface Waiting {
  reason: string;
  message?: string;
}

/** How long the failure itself (`ErrImagePull`, `RunContainerError`) is shown before the back-off that follows it. */
export const ERROR_SHOWN_MS = 2_000;

/**
 * An ephemeral container shares the processes of one that runs; there is nothing to share before and after. As a kubelet
 * and its runtime tell it; both try again until the target runs.
 */
export function targetTrouble(
  { name, target }: PlannedContainer,
  record: PodRecord,
): Waiting | undefined {
  if (target === undefined || containerRecord(record, name).current !== undefined) return undefined;
  const { current } = containerRecord(record, target);
  if (current === undefined || current.state === "created") {
    const message = `unable to find target container ${target}`;
    return { reason: "CreateContainerConfigError", message };
  }
  if (current.state === "running" && current.stop === undefined) return undefined;
  const message = `invalid target container: container ${target} is not running`;
  return { reason: "CreateContainerError", message };
}

/** Why a container that should run does not; `undefined` = nothing holds it up. */
export function troubleOf(
  plan: PlannedPod,
  planned: PlannedContainer,
  record: PodRecord,
  now: number,
): Waiting | undefined {
  const own: ContainerRecord = containerRecord(record, planned.name);
  const { problem, image, current, crash } = own;
  if (problem !== undefined) return { reason: problem.reason, message: problem.message };
  if (image !== undefined) {
    if (now < image.backOff.updatedAt + ERROR_SHOWN_MS) {
      return { reason: image.code, message: image.message };
    }
    const message = `Back-off pulling image "${planned.container.image ?? ""}": ${image.code}: ${image.message}`;
    return { reason: "ImagePullBackOff", message };
  }
  const noTarget = targetTrouble(planned, record);
  if (noTarget !== undefined) return noTarget;
  if (current?.state !== "exited" || crash === undefined) return undefined;
  if (current.stop?.reason === "changed") return undefined;
  const finishedAt = current.finishedAt ?? now;
  const until = waitsUntil(crash, finishedAt);
  if (until === undefined || now >= until) return undefined;
  if (current.startFailed && now < finishedAt + ERROR_SHOWN_MS) {
    return { reason: "RunContainerError", message: current.message ?? "" };
  }
  const delay = goDuration(crash.delayMs);
  return {
    reason: "CrashLoopBackOff",
    message: `back-off ${delay} restarting failed container=${planned.name} pod=${podLabel(plan)}`,
  };
}

/** Before anything is known. */
export function defaultWaiting(plan: PlannedPod): Waiting {
  return { reason: plan.init.length > 0 ? "PodInitializing" : "ContainerCreating" };
}
