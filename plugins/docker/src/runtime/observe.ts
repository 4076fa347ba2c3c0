import type { ObservedContainer } from "@interlink/plugin-sdk";
import type { Identity } from "../pods/labels.ts";
import type { ContainerInspection } from "./engine-types.ts";

/** Why a container could never run. */
export interface FailedStart {
  /** The engine's words. */
  message: string;
  exitCode?: number;
}

/**
 * What a container is doing now, in the supervisor's words. `failure` of its start: Docker tells it itself, but to Podman
 * the container is as new.
 */
export function observe(
  identity: Identity & { kind: "container" },
  { Id, State }: Pick<ContainerInspection, "Id" | "State">,
  failure?: FailedStart,
): ObservedContainer {
  const { uid, containerName, attempt, imageID } = identity;
  const handle = {
    uid,
    containerName,
    attempt,
    id: Id,
    ...(imageID !== undefined && { imageID }),
  };
  const startedAt = realTime(State.StartedAt);
  const finishedAt = later(startedAt, realTime(State.FinishedAt));
  switch (State.Status) {
    case "created": {
      const error = State.Error === "" ? failure?.message : State.Error;
      if (error === undefined) return { ...handle, state: "created" };
      const exitCode = State.ExitCode === 0 ? (failure?.exitCode ?? 128) : State.ExitCode;
      return { ...handle, state: "exited", exitCode, reason: "ContainerCannotRun", error };
    }
    case "running":
    case "paused":
    case "restarting":
      return { ...handle, state: "running", ...(startedAt && { startedAt }) };
    case "exited":
    case "dead":
    case "removing":
    case "stopped": // Podman
      return {
        ...handle,
        state: "exited",
        exitCode: State.ExitCode,
        ...(startedAt && { startedAt }),
        ...(finishedAt && { finishedAt }),
        ...(State.OOMKilled && { oomKilled: true }),
        ...(State.Error !== "" && { error: State.Error }),
      };
    default:
      return { ...handle, state: "unknown" };
  }
}

/** The end is measured closer to the kernel than the start, so that a short run may seem to end before it began. */
function later(start: string | undefined, end: string | undefined): string | undefined {
  if (start === undefined || end === undefined) return end;
  return Date.parse(end) < Date.parse(start) ? start : end;
}

/** Engines write the year 1 for "never". */
function realTime(text: string): string | undefined {
  return text === "" || text.startsWith("0001-01-01") ? undefined : text;
}
