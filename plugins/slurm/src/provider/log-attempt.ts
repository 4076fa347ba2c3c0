import { PluginError } from "@interlink/plugin-sdk";
import { allRemoteStatuses, type RemotePodStatus } from "@interlink/protocol";

/**
 * Which attempt's log is meant: the one before with `previous`, else the newest one that was started; `undefined` while
 * none was. Throws `PluginError` in the words that `kubectl logs` prints (kubelet-contract 6.3).
 */
export function logAttempt(
  status: RemotePodStatus,
  container: string,
  previous: boolean,
): number | undefined {
  const shown = allRemoteStatuses(status).find(({ name }) => name === container);
  if (shown === undefined) {
    throw new PluginError(
      "not-found",
      `container "${container}" not found in pod "${status.name}"`,
    );
  }
  const { restartCount, state, lastState } = shown;
  const isBetween = state?.waiting !== undefined && lastState?.terminated !== undefined;
  if (previous) {
    // Between two attempts the ended one is the previous one, as `lastState` shows.
    const attempt = isBetween ? restartCount : restartCount - 1;
    if (attempt >= 0) return attempt;
    throw new PluginError(
      "invalid",
      `previous terminated container "${container}" in pod "${status.name}" not found`,
    );
  }
  const hasBegun = state?.running !== undefined || state?.terminated?.startedAt !== undefined;
  if (hasBegun || isBetween) return restartCount;
  return restartCount > 0 ? restartCount - 1 : undefined;
}

/** Whether nothing more is written to the log of this attempt. */
export function hasAttemptEnded(
  status: RemotePodStatus | undefined,
  container: string,
  attempt: number | undefined,
): boolean {
  const shown = status && allRemoteStatuses(status).find(({ name }) => name === container);
  if (shown === undefined) return true;
  const { restartCount, state, lastState } = shown;
  if (attempt !== undefined && restartCount > attempt) return true;
  if (state?.terminated !== undefined) return true;
  return (
    attempt !== undefined && state?.waiting !== undefined && lastState?.terminated !== undefined
  );
}
