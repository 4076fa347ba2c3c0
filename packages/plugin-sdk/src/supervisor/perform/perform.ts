import type { Action } from "../decision.ts";
import { withDeadline } from "../with-deadline.ts";
import type { PodWork } from "../work.ts";
import { createContainer, ensureImage, startContainer } from "./perform-create.ts";
import { runPostStart } from "./perform-post-start.ts";
import { ensureSandbox, stopSandbox } from "./perform-sandbox.ts";
import { finish, removeContainer, removeSandbox, runPreStop, stop } from "./perform-stop.ts";

/** For a runtime that hangs: the step is given up and tried again. Hooks have the pod's whole life, as in a kubelet. */
const STEP_MS = 2 * 60_000;
const PULL_MS = 60 * 60_000;
const HOOK_MS = 24 * 3_600_000;

/** How long an action may take, in milliseconds; `now` is the clock's. */
export function deadlineMs(action: Action, now: number): number {
  if (action.type === "stop") return action.graceSeconds * 1000 + STEP_MS;
  if (action.type === "ensureImage") return PULL_MS;
  // The supervisor ends it at its deadline; this is only for what does not heed that.
  if (action.type === "runPreStop") return Math.max(0, action.deadline - now) + STEP_MS;
  return action.type === "runPostStart" ? HOOK_MS : STEP_MS;
}

/**
 * Carry out one action and write down what came of it. What the pod's owner must know ends in the record and as an
 * event; whatever else goes wrong is thrown, and the action is tried again with back-off.
 */
export function perform(work: PodWork, action: Action, signal: AbortSignal): Promise<void> {
  return withDeadline(signal, deadlineMs(action, work.parts.clock.now()), (limited) =>
    step(work, action, limited),
  );
}

async function step(work: PodWork, action: Action, signal: AbortSignal): Promise<void> {
  switch (action.type) {
    case "ensureSandbox":
      await ensureSandbox(work, signal);
      break;
    case "ensureImage":
      await ensureImage(work, action.container, action.attempt, signal);
      break;
    case "createContainer":
      await createContainer(work, action.container, action.attempt, signal);
      break;
    case "startContainer":
      await startContainer(work, action.container, action.attempt, signal);
      break;
    case "runPostStart":
      await runPostStart(work, action.container, action.attempt, signal);
      break;
    case "runPreStop":
      await runPreStop(work, action.container, action.attempt, signal);
      break;
    case "stop":
      await stop(work, action, signal);
      break;
    case "removeContainer":
      await removeContainer(work, action.container, action.attempt, signal);
      break;
    case "stopSandbox":
      await stopSandbox(work, signal);
      break;
    case "removeSandbox":
      await removeSandbox(work, signal);
      break;
    case "finish":
      await finish(work);
      break;
  }
}
