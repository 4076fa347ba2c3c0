import type { RemotePodStatus } from "@interlink/protocol";
import type { ContainerState, ContainerStatus } from "kubernetes-types/core/v1.js";
import { expect, it } from "vitest";
import { hasAttemptEnded, logAttempt } from "./log-attempt.ts";

const status = (restartCount: number, state: ContainerState, last?: ContainerState) => {
  const container: ContainerStatus = {
    name: "main",
    image: "app",
    imageID: "",
    ready: false,
    restartCount,
    state,
    lastState: last ?? {},
  };
  const pod: RemotePodStatus = {
    name: "p",
    UID: "u",
    namespace: "n",
    JID: "1",
    containers: [container],
    initContainers: [],
  };
  return pod;
};
const RUNS = { running: { startedAt: "2026-01-01T00:00:00Z" } };
const WAITS = { waiting: { reason: "ContainerCreating" } };
const BACKS_OFF = { waiting: { reason: "CrashLoopBackOff" } };
const ENDED = { terminated: { exitCode: 1, startedAt: "2026-01-01T00:00:00Z" } };
const NEVER_RAN = { terminated: { exitCode: 143 } };

it.each<[string, RemotePodStatus, number | undefined, number | undefined]>([
  ["that waits", status(0, WAITS), undefined, undefined],
  ["that runs", status(0, RUNS), 0, undefined],
  ["that runs again", status(2, RUNS, ENDED), 2, 1],
  ["between two attempts", status(1, BACKS_OFF, ENDED), 1, 1],
  ["that has ended", status(0, ENDED), 0, undefined],
  ["that never ran", status(0, NEVER_RAN), undefined, undefined],
])("finds the attempt of a container %s", (_what, pod, present, previous) => {
  expect(logAttempt(pod, "main", false)).toBe(present);
  if (previous === undefined) {
    expect(() => logAttempt(pod, "main", true)).toThrow(
      'previous terminated container "main" in pod "p" not found',
    );
  } else {
    expect(logAttempt(pod, "main", true)).toBe(previous);
  }
});

it("knows no other container", () => {
  expect(() => logAttempt(status(0, RUNS), "x", false)).toThrow(
    'container "x" not found in pod "p"',
  );
});

it.each<[RemotePodStatus, number | undefined, boolean]>([
  [status(0, WAITS), undefined, false],
  [status(0, RUNS), 0, false],
  [status(1, RUNS, ENDED), 0, true],
  [status(1, BACKS_OFF, ENDED), 1, true],
  [status(0, ENDED), 0, true],
])("says whether a log is complete: %#", (pod, attempt, expected) => {
  expect(hasAttemptEnded(pod, "main", attempt)).toBe(expected);
});
