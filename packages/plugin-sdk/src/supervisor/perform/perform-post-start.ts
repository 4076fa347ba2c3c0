import { eventTexts } from "../event-texts.ts";
import { withAttempt } from "../record.ts";
import type { PodWork } from "../work.ts";
import { aboutWork, currentAttempt } from "../work.ts";
import { runHook } from "./hooks.ts";

/** Run the postStart hook; when it fails the container is killed and restarts under the pod's policy. */
export async function runPostStart(
  work: PodWork,
  name: string,
  attempt: number,
  signal: AbortSignal,
): Promise<void> {
  const { parts, plan } = work;
  const found = currentAttempt(work, name, attempt);
  const hook = found?.planned.container.lifecycle?.postStart;
  if (found === undefined || hook === undefined) return;
  try {
    await runHook(parts, found.handle, found.planned.container, hook, signal);
    work.change((record) =>
      withAttempt(record, name, attempt, (current) => ({ ...current, postStartDone: true })),
    );
  } catch (error) {
    if (signal.aborted) throw error;
    const { current } = currentAttempt(work, name, attempt) ?? {};
    if (current?.state !== "running") return;
    parts.logger.info({ ...aboutWork(work), err: error, container: name }, "postStart hook failed");
    work.tell(eventTexts.postStartFailed(name));
    work.tell(eventTexts.killing(name, "postStart"));
    const deadline = parts.clock.now() + plan.graceSeconds * 1000;
    work.change((record) =>
      withAttempt(record, name, attempt, (before) => ({
        ...before,
        stop: before.stop ?? { reason: "postStart", deadline },
      })),
    );
  }
}
