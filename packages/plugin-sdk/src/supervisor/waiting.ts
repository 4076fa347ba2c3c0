import { goDuration, waitsUntil } from "./back-off.ts";
import { podLabel } from "./event-texts.ts";
import type { PlannedContainer, PlannedPod } from "./planned-pod.ts";
import type { ContainerRecord } from "./record.ts";

export interface Waiting {
  reason: string;
  message?: string;
}

/** How long the failure itself (`ErrImagePull`, `RunContainerError`) is shown before the back-off that follows it. */
export const ERROR_SHOWN_MS = 2_000;

/** Why a container that should run does not; `undefined` = nothing holds it up. */
export function troubleOf(
  plan: PlannedPod,
  planned: PlannedContainer,
  own: ContainerRecord,
  now: number,
): Waiting | undefined {
  const { problem, image, current, crash } = own;
  if (problem !== undefined) return { reason: problem.reason, message: problem.message };
  if (image !== undefined) {
    if (now < image.backOff.updatedAt + ERROR_SHOWN_MS) {
      return { reason: image.code, message: image.message };
    }
    const message = `Back-off pulling image "${planned.container.image ?? ""}": ${image.code}: ${image.message}`;
    return { reason: "ImagePullBackOff", message };
  }
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
