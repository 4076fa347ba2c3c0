import { describe, expect, it } from "vitest";
import { jobEnd, jobStage, stateName } from "./job-state.ts";
import { pendingMessage } from "./pending-reason.ts";

it.each([
  ["PD", "PENDING", "waiting"],
  ["CF", "CONFIGURING", "waiting"],
  ["RQ", "REQUEUED", "waiting"],
  ["RH", "REQUEUE_HOLD", "waiting"],
  ["SE", "SPECIAL_EXIT", "waiting"],
  ["R", "RUNNING", "running"],
  ["S", "SUSPENDED", "running"],
  ["ST", "STOPPED", "running"],
  ["SI", "SIGNALING", "running"],
  ["CG", "COMPLETING", "ending"],
  ["SO", "STAGE_OUT", "ending"],
  ["CD", "COMPLETED", "ended"],
  ["F", "FAILED", "ended"],
  ["CA", "CANCELLED", "ended"],
  ["TO", "TIMEOUT", "ended"],
  ["OOM", "OUT_OF_MEMORY", "ended"],
  ["NF", "NODE_FAIL", "ended"],
  ["BF", "BOOT_FAIL", "ended"],
  ["DL", "DEADLINE", "ended"],
  ["PR", "PREEMPTED", "ended"],
  ["RV", "REVOKED", "ended"],
  ["EX", "EXPEDITING", "waiting"],
  ["LF", "LAUNCH_FAILED", "ended"],
  ["PU", "POWER_UP_NODE", "waiting"],
  ["RC", "RECONFIG_FAIL", "ended"],
  ["RD", "RESV_DEL_HOLD", "waiting"],
  ["RF", "REQUEUE_FED", "waiting"],
  ["RS", "RESIZING", "running"],
  ["UD", "UPDATE_DB", "ending"],
])("knows %s as %s, which is %s", (code, name, stage) => {
  expect(stateName(code)).toBe(name);
  expect(stateName(name.toLowerCase())).toBe(name);
  expect(jobStage(name)).toBe(stage);
});

it.each([
  ["CANCELLED by 1000", "CANCELLED"],
  ["CANCELLED+", "CANCELLED"],
  [" RUNNING\n", "RUNNING"],
])("reads %j as %s", (text, name) => {
  expect(stateName(text)).toBe(name);
});

it.each(["XY", "", "constructor", "TELEPORTED"])("never takes %j for an end", (text) => {
  expect(jobStage(stateName(text))).toBe("unknown");
});

describe("jobEnd", () => {
  it.each<[Parameters<typeof jobEnd>[1], string | undefined, number, string]>([
    [{ state: "COMPLETED" }, undefined, 0, "has completed"],
    [{ state: "TIMEOUT", node: "n1" }, "DeadlineExceeded", 137, "time limit on n1"],
    [{ state: "OUT_OF_MEMORY" }, "OOMKilled", 137, "more memory"],
    [{ state: "CANCELLED", cancelledBy: "0" }, "Cancelled", 143, "cancelled by 0 (CANCELLED)"],
    [{ state: "PREEMPTED" }, "Preempted", 143, "preempted"],
    [{ state: "NODE_FAIL", reason: "NodeDown" }, "NodeLost", 137, "(NODE_FAIL) (NodeDown)"],
    [{ state: "FAILED", code: 3, signal: 0 }, "SlurmJobFailed", 3, "with exit code 3"],
    [{ state: "FAILED", code: 0, signal: 15 }, "SlurmJobFailed", 143, "by signal 15"],
    [{ state: "FAILED", code: 0, signal: 0 }, "SlurmJobFailed", 1, "state FAILED"],
    [{ state: "LAUNCH_FAILED" }, "SlurmJobFailed", 1, "LAUNCH_FAILED"],
    [{ state: "RECONFIG_FAIL" }, "SlurmJobFailed", 1, "RECONFIG_FAIL"],
    [{ state: "FAILED", code: 0, signal: 53 }, "SlurmJobFailed", 128, "could not begin"],
    [{ state: "BOOT_FAIL", node: "n1" }, "NodeLost", 137, "on n1 (BOOT_FAIL)"],
    [{ state: "DEADLINE" }, "DeadlineExceeded", 137, "its deadline"],
    [{ state: "REVOKED" }, "Cancelled", 143, "was cancelled (REVOKED)"],
  ])("tells %j as %s", (facts, reason, exitCode, words) => {
    const end = jobEnd("7", facts);
    expect(end.reason).toBe(reason);
    expect(end.exitCode).toBe(exitCode);
    expect(end.message).toContain(words);
    expect(end.message).toMatch(/^Slurm job 7 .*\.$/);
  });
});

it.each([
  ["PENDING", "(Resources)", "(PENDING, Resources): it waits for resources to become free."],
  ["PENDING", "QOSMaxCpuPerUserLimit", "a limit of its account or QOS is reached."],
  ["PENDING", "None", "Slurm job 7 is queued (PENDING)."],
  [
    "PENDING",
    "(ReqNodeNotAvail, UnavailableNodes:n1)",
    "(PENDING, ReqNodeNotAvail, UnavailableNodes:n1): a node that it needs is not available now.",
  ],
  ["REQUEUE_HOLD", "(SomethingNew)", "(REQUEUE_HOLD, SomethingNew)."],
])("says of %s %s what it waits for", (state, reason, words) => {
  expect(pendingMessage("7", state, reason)).toContain(words);
});
