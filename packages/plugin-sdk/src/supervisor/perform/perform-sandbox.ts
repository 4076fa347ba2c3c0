import { PluginError } from "../../plugin-error.ts";
import { prepareVolumes } from "../../volumes/prepare-volumes.ts";
import { eventTexts } from "../event-texts.ts";
import type { PodRecord } from "../record.ts";
import { newestAttempts } from "../record.ts";
import type { PodWork } from "../work.ts";
import { pullSecretsOf } from "./pull-secrets.ts";

/** Volumes on disk, then the runtime's sandbox. Repeatable. */
export async function ensureSandbox(work: PodWork, signal: AbortSignal): Promise<void> {
  const { parts, plan } = work;
  const { store, runtime, clock } = parts;
  const paths = store.paths(plan.uid);
  await work.inLine(() => ensureVolumes(work, signal));
  if (work.volumes === undefined) return;
  try {
    const { podIPs, instance } = await parts.steps.run(signal, () =>
      runtime.ensureSandbox({ pod: plan.pod, directory: paths.directory }, signal),
    );
    const before = work.record().sandbox?.instance;
    const isLost = instance !== undefined && before !== undefined && instance !== before;
    // It may have been seen to be gone before this one was made in its place.
    if (isLost && !isToldLost(work.record())) work.tell(eventTexts.sandboxChanged());
    work.change((record) => ({
      ...record,
      sandbox: {
        readyAt: (isLost ? undefined : record.sandbox?.readyAt) ?? clock.now(),
        podIPs,
        ...(instance !== undefined && { instance }),
      },
      ...(isLost && { lost: newestAttempts(record) }),
    }));
    work.sandbox = "ready";
    parts.checkpoint("create.sandbox-ready");
  } catch (error) {
    if (!signal.aborted) work.tell(eventTexts.sandboxFailed(wordsOf(error)));
    throw error;
  }
}

/** Whether everything that the pod has was in a sandbox that is known to be lost. */
function isToldLost(record: PodRecord): boolean {
  return Object.entries(newestAttempts(record)).every(
    ([name, attempt]) => record.lost?.[name] === attempt,
  );
}

async function ensureVolumes(work: PodWork, signal: AbortSignal): Promise<void> {
  if (work.volumes !== undefined) return;
  const { store, resolveVolume } = work.parts;
  const { uid } = work.plan;
  const data = work.data ?? (await store.data(uid));
  try {
    work.volumes = await prepareVolumes(data, {
      directory: store.paths(uid).volumes,
      ...(resolveVolume && { resolveVolume }),
      signal,
    });
  } catch (error) {
    if (!(error instanceof PluginError) || error.code !== "rejected") throw error;
    // The virtual node hands over only what is complete, so waiting cannot help.
    const { message } = error;
    work.tell(eventTexts.volumesFailed(message));
    work.change((record) => ({ ...record, failed: { reason: "FailedMount", message } }));
    await work.save();
    return;
  }
  work.pullSecrets = pullSecretsOf(data);
  delete work.data;
}

/** The pod is over: let its network go, keep its logs. */
export async function stopSandbox(work: PodWork, signal: AbortSignal): Promise<void> {
  await work.parts.runtime.stopSandbox?.(work.plan.uid, signal);
  work.sandbox = "unknown";
  work.change((record) => ({ ...record, sandboxStopped: true }));
}

export function wordsOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
