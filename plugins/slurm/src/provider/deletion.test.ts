import { expect, it } from "vitest";
import { type DeletionView, deletionStep } from "./deletion.ts";

const view = (rest: Partial<DeletionView>): DeletionView => ({
  jobId: "7",
  isUnknown: false,
  stage: "running",
  requestedAt: 0,
  graceSeconds: 30,
  sent: {},
  now: 1000,
  ...rest,
});

it.each<[string, Partial<DeletionView>, string]>([
  ["asks first whether there is a job", { jobId: undefined, stage: undefined }, "look"],
  ["asks first what the job does", { stage: undefined }, "look"],
  ["knows that it is gone", { isUnknown: true, stage: undefined }, "gone"],
  ["knows that it has ended", { stage: "ended" }, "gone"],
  ["cancels what is queued", { stage: "waiting" }, "cancel"],
  ["waits for a cancel", { stage: "waiting", sent: { cancel: 900 } }, "wait"],
  ["cancels again", { stage: "waiting", sent: { cancel: 900 }, now: 31_000 }, "cancel"],
  ["cancels what it does not understand", { stage: "unknown" }, "cancel"],
  ["tells a running job to end", {}, "terminate"],
  ["lets it have its grace period", { sent: { terminate: 1000 }, now: 34_999 }, "wait"],
  ["kills the script then", { sent: { terminate: 1000 }, now: 35_000 }, "kill"],
  ["gives Slurm a moment", { sent: { terminate: 0, kill: 35_000 }, now: 39_000 }, "wait"],
  ["cancels the job at last", { sent: { terminate: 0, kill: 35_000 }, now: 40_000 }, "cancel"],
  ["kills soon without grace", { graceSeconds: 0, sent: { terminate: 0 }, now: 5000 }, "kill"],
  ["asks the script first even when it is late", { now: 99_000 }, "terminate"],
  ["gives it a moment then", { sent: { terminate: 99_000 }, now: 103_999 }, "wait"],
  ["waits for a job that is ending", { stage: "ending", sent: { cancel: 900 } }, "wait"],
])("%s", (_what, rest, step) => {
  expect(deletionStep(view(rest))).toBe(step);
});
