import { expect, it } from "vitest";
import { observe } from "./observe.ts";

const NEVER = "0001-01-01T00:00:00Z";
const STATE = {
  Status: "created",
  ExitCode: 0,
  OOMKilled: false,
  Error: "",
  StartedAt: NEVER,
  FinishedAt: NEVER,
};
const START = "2026-01-02T03:04:05.6Z";
const END = "2026-01-02T03:04:06.7Z";

it.each<[string, Partial<typeof STATE>, object]>([
  ["one that was made", {}, { state: "created" }],
  [
    "one that could not be started",
    { ExitCode: 127, Error: "no such file" },
    { state: "exited", exitCode: 127, reason: "ContainerCannotRun", error: "no such file" },
  ],
  [
    "one that could not be started, without an exit code",
    { Error: "no network" },
    { state: "exited", exitCode: 128, reason: "ContainerCannotRun", error: "no network" },
  ],
  [
    "a running one",
    { Status: "running", StartedAt: START },
    { state: "running", startedAt: START },
  ],
  ["a paused one", { Status: "paused", StartedAt: START }, { state: "running", startedAt: START }],
  [
    "an ended one",
    { Status: "exited", ExitCode: 3, StartedAt: START, FinishedAt: END },
    { state: "exited", exitCode: 3, startedAt: START, finishedAt: END },
  ],
  [
    "one whose clock was a little off",
    { Status: "exited", StartedAt: END, FinishedAt: START },
    { state: "exited", exitCode: 0, startedAt: END, finishedAt: END },
  ],
  [
    "one that was killed for its memory",
    { Status: "exited", ExitCode: 137, OOMKilled: true, StartedAt: START, FinishedAt: END },
    { state: "exited", exitCode: 137, oomKilled: true, startedAt: START, finishedAt: END },
  ],
  ["a dead one", { Status: "dead", ExitCode: 255 }, { state: "exited", exitCode: 255 }],
  ["one in a state that nobody knows", { Status: "dreaming" }, { state: "unknown" }],
])("tells %s", (_, state, expected) => {
  const handle = { uid: "u", containerName: "c", attempt: 1 };
  expect(
    observe({ kind: "container", ...handle }, { Id: "id", State: { ...STATE, ...state } }),
  ).toEqual({
    ...handle,
    id: "id",
    ...expected,
  });
});
