import type { ObservedContainer } from "@interlink/plugin-sdk";
import type { Identity } from "../pods/labels.ts";
import type { ContainerInspection } from "./engine-types.ts";

/** What a container is doing now, in the supervisor's words. */
export function observe(
  identity: Identity & { kind: "container" },
  { Id, State }: Pick<ContainerInspection, "Id" | "State">,
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
    case "created":
      return State.Error === ""
        ? { ...handle, state: "created" }
        : {
            ...handle,
            state: "exited",
            exitCode: State.ExitCode === 0 ? 128 : State.ExitCode,
            reason: "ContainerCannotRun",
            error: State.Error,
          };
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
