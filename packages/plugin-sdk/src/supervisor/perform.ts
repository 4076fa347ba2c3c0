import type { Action } from "./decision.ts";
import { createContainer, ensureImage, startContainer } from "./perform-create.ts";
import { runPostStart } from "./perform-post-start.ts";
import { ensureSandbox, stopSandbox } from "./perform-sandbox.ts";
import { finish, removeContainer, removeSandbox, runPreStop, stop } from "./perform-stop.ts";
import type { PodWork } from "./work.ts";

/**
 * Carry out one action and write down what came of it. What the pod's owner must know ends in the record and as an
 * event; whatever else goes wrong is thrown, and the action is tried again with back-off.
 */
export async function perform(work: PodWork, action: Action, signal: AbortSignal): Promise<void> {
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
