import type { RemotePodStatus } from "@interlink/protocol";
import { PluginError } from "../plugin-error.ts";
import type { ContainerHandle } from "../runtime/container-runtime.ts";
import type { PlannedPod } from "./planned-pod.ts";
import type { Attempt, PodRecord } from "./record.ts";
import { containerRecord } from "./record.ts";

/**
 * Which attempt's log is meant (kubelet-contract 6.3): the one before with `previous`, else the newest one that was
 * started. Throws `PluginError` in the words that `kubectl logs` prints.
 */
export function logTarget(
  plan: PlannedPod,
  record: PodRecord,
  status: RemotePodStatus,
  container: string,
  previous: boolean,
): ContainerHandle {
  const { uid, name: pod } = plan;
  if (plan.all.every(({ name }) => name !== container)) {
    throw new PluginError("not-found", `container "${container}" not found in pod "${pod}"`);
  }
  const own = containerRecord(record, container);
  const handle = ({ attempt, id }: Attempt) => ({ uid, containerName: container, attempt, id });
  const shown = [...status.initContainers, ...status.containers].find(
    ({ name }) => name === container,
  );
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
  if (begun !== undefined) return handle(begun);
  throw new PluginError(
    "invalid",
    `container "${container}" in pod "${pod}" is ${waitingWords(shown?.state?.waiting?.reason)}`,
  );
}

function waitingWords(reason: string | undefined): string {
  if (reason === undefined) return "not available";
  if (reason === "ErrImagePull") return "waiting to start: image can't be pulled";
  if (reason === "ImagePullBackOff") return "waiting to start: trying and failing to pull image";
  return `waiting to start: ${reason}`;
}
