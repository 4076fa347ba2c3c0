import { describe, expect, it } from "vitest";
import type { JobStage } from "../slurm/job-state.ts";
import type { QueuedJob } from "../slurm/queue.ts";
import { chooseJob, endOfOther, needsClaim } from "./choose-job.ts";

/** `7+ 9` : job 7 runs, 9 waits; `-`: it has ended. */
function queue(text: string): QueuedJob[] {
  const stages: Readonly<Record<string, JobStage>> = {
    "+": "running",
    "-": "ended",
    "": "waiting",
  };
  return text.split(" ").flatMap((word) => {
    const [, id = "", sign = ""] = /^(\d+)([+-]?)$/.exec(word) ?? [];
    const stage = stages[sign] ?? "unknown";
    return id === "" ? [] : [{ id, stage, state: "", reason: "", nodes: "", comment: "" }];
  });
}

describe("of the jobs of one pod", () => {
  it.each<[string, string | undefined, string | undefined, string | undefined]>([
    ["", "7", undefined, undefined],
    ["7", "7", undefined, "7"],
    ["7-", "7", undefined, "7"],
    ["9 7", undefined, undefined, "7"],
    // Whichever was written down, the claim counts.
    ["7 9+", "7", "9", "9"],
    ["7- 9+", "7", "9", "9"],
    ["7 9-", "7", "9", "9"],
    ["7+ 9+", "9", "7", "7"],
    // None has begun.
    ["7 9", "9", undefined, "9"],
    ["7 9-", "9", undefined, "7"],
    ["7- 9-", "9", undefined, "9"],
    ["7- 9", undefined, undefined, "9"],
    // The one that was written down is forgotten.
    ["9", "7", undefined, "9"],
    ["9-", "7", undefined, undefined],
    ["9-", "7", "7", undefined],
  ])(
    "%j, of which %s was written down and %s has claimed it, it is %s",
    (text, jobId, claimed, id) => {
      expect(chooseJob(queue(text), { jobId, claimed })?.id).toBe(id);
    },
  );

  it.each<[string, string, string | undefined, ReturnType<typeof endOfOther>]>([
    ["9", "7+", "7", "cancel"],
    ["9+", "7+", "7", "cancel"],
    ["9-", "7+", "7", undefined],
    ["9", "7", undefined, "cancel-if-waiting"],
    // It may be about to claim the pod.
    ["9+", "7", undefined, undefined],
    ["9+", "7", "8", undefined],
  ])("%j beside %j is ended, with the claim of %s, by %s", (other, chosen, claimed, how) => {
    const [first, second] = queue(`${other} ${chosen}`);
    if (first === undefined || second === undefined) throw new Error("there are two");
    expect(endOfOther(first, second, claimed)).toBe(how);
  });

  it("asks for the claim only where it decides", () => {
    expect(needsClaim(queue("7"), "7")).toBe(false);
    expect(needsClaim(queue("7"), undefined)).toBe(false);
    expect(needsClaim(queue("9"), "7")).toBe(true);
    expect(needsClaim(queue("7 9"), undefined)).toBe(true);
  });
});
