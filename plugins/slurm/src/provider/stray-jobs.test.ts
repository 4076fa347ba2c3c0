import { pino } from "pino";
import { beforeEach, expect, it } from "vitest";
import type { QueuedJob } from "../slurm/queue.ts";
import { StrayJobs } from "./stray-jobs.ts";

const queued = (id: string, stage: QueuedJob["stage"] = "running"): QueuedJob => ({
  id,
  state: "",
  stage,
  reason: "None",
  nodes: "n1",
  comment: "",
});
const byPod = (jobs: Record<string, QueuedJob[]>) => new Map(Object.entries(jobs));

let cancelled: string[];
let told: { uid: string; jobs: string[] }[];
let strays: StrayJobs;
beforeEach(() => {
  cancelled = [];
  told = [];
  const cancel = async (id: string) => void cancelled.push(id);
  strays = new StrayJobs({
    store: {
      get: (uid) => (uid === "new" ? ({} as never) : undefined),
      tombstone: (uid) => (uid === "deleted" ? ({} as never) : undefined),
    },
    client: { cancel, cancelWaiting: cancel },
    logger: pino({ level: "warn" }, { write: (line) => told.push(JSON.parse(line)) }),
  });
});

it("cancels what Slurm accepted of a pod that was deleted, and has not ended", () => {
  strays.endLate(byPod({ deleted: [queued("1", "ended"), queued("2"), queued("3", "waiting")] }));
  expect(cancelled).toEqual(["2", "3"]);
  expect(told).toEqual([]);
});

it("leaves jobs of a pod alone that has come since Slurm was asked", () => {
  strays.endLate(byPod({ new: [queued("1")] }));
  expect([cancelled, told]).toEqual([[], []]);
});

it("tells once of jobs that belong to no pod, and again if they come back", () => {
  const unknown = byPod({ nobody: [queued("1"), queued("2", "waiting")] });
  strays.endLate(unknown);
  strays.endLate(unknown);
  expect(told).toMatchObject([{ uid: "nobody", jobs: ["1", "2"] }]);
  strays.endLate(byPod({ nobody: [queued("1", "ending")] }));
  strays.endLate(unknown);
  expect(told).toHaveLength(2);
  expect(cancelled).toEqual([]);
});
