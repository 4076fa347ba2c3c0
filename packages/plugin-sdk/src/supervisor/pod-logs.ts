import { allRemoteStatuses, type RemotePodStatus } from "@interlink/protocol";
import { PluginError } from "../plugin-error.ts";
import type { ContainerHandle } from "../runtime/container-runtime.ts";
import type { PlannedPod } from "./planned-pod.ts";
import type { Attempt, PodRecord } from "./record.ts";
import { containerRecord } from "./record.ts";

/**
 * Which attempt's log is meant (kubelet-contract 6.3): the one before with `previous`, else the newest one that was
 * started. `undefined` while the container waits to start: its log is empty then, as existing nodes expect
 * (interlink-other-plugins 9.3); ours say by its status what it waits for. Throws `PluginError` in the words that
 * `kubectl logs` prints.
 */
export function logTarget(
  plan: PlannedPod,
  record: PodRecord,
  status: RemotePodStatus,
  container: string,
  previous: boolean,
): ContainerHandle | undefined {
  const { uid, name: pod } = plan;
  if (plan.all.every(({ name }) => name !== container)) {
    throw new PluginError("not-found", `container "${container}" not found in pod "${pod}"`);
  }
  const own = containerRecord(record, container);
  const handle = ({ attempt, id }: Attempt) => ({ uid, containerName: container, attempt, id });
  const shown = allRemoteStatuses(status).find(({ name }) => name === container);
  if (previous) {
    // Between two attempts the ended one is the previous one, as `lastState` shows.
    const last = shown?.state?.waiting !== undefined ? (own.current ?? own.previous) : own.previous;
    const ended = last?.state === "exited" ? last : own.previous;
    if (ended !== undefined && !ended.startFailed) return handle(ended);
    throw new PluginError(
      "invalid",
      `previous terminated container "${container}" in pod "${pod}" not found`,
    );
  }
  const begun = [own.current, own.previous].find(
    (attempt) => attempt !== undefined && attempt.state !== "created",
  );
  return begun && handle(begun);
}
