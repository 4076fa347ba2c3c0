import { appendFile, mkdir, mkdtemp, rename, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type JobStore, openJobStore } from "@interlink/plugin-sdk";
import { podData } from "@interlink/plugin-sdk/testing";
import { pino } from "pino";
import { afterEach, beforeEach, expect, it } from "vitest";
import type { JobDetails } from "../slurm/job-details.ts";
import type { QueuedJob } from "../slurm/queue.ts";
import { jobComment } from "./identity.ts";
import { Observer } from "./observer.ts";
import { PodJob } from "./pod-job.ts";
import { EMPTY_RECORD, readSlurmRecord, type SlurmRecord } from "./slurm-record.ts";

const uid = "11111111-2222-3333-4444-555555555555";
let warnings: string[];
const logger = pino(
  { level: "warn" },
  { write: (line) => warnings.push((JSON.parse(line) as { msg: string }).msg) },
);
/** Milliseconds since the epoch. */
const T = Date.UTC(2026, 0, 1);
let folder: string;
let store: JobStore<SlurmRecord>;
let stamp: string;
/** What scontrol says; `undefined`: it does not know the job. */
let shown: JobDetails | undefined;
/** The job that has claimed the pod. */
let claimed: string | undefined;
let cancelled: string[];
let job: PodJob;
let observer: Observer;

beforeEach(async () => {
  warnings = [];
  folder = await mkdtemp(join(tmpdir(), "observer-"));
  store = await openJobStore<SlurmRecord>({
    root: join(folder, "store"),
    logger,
    newRecord: () => EMPTY_RECORD,
    readRecord: readSlurmRecord,
  });
  const data = podData(uid, {
    restartPolicy: "Never",
    containers: [{ name: "main", image: "/a.sif" }],
  });
  await store.create(data);
  await store.update(uid, () => ({ phase: "submitted", jobId: "7" }));
  stamp = "";
  shown = undefined;
  claimed = undefined;
  cancelled = [];
  job = new PodJob(data.pod, EMPTY_RECORD, "7", T);
  observer = observed(store);
  await mkdir(join(folder, uid));
  await observer.records(job, T);
});
afterEach(async () => {
  await store.close();
  await rm(folder, { recursive: true, force: true });
});

function observed(written: JobStore<SlurmRecord>): Observer {
  return new Observer({
    store: written,
    files: {
      claim: async () => claimed,
      directory: () => join(folder, uid),
      jobLog: () => join(folder, uid, "job.log"),
      stamps: async (uids) => uids.map(() => stamp),
    },
    client: {
      job: async () => shown,
      accounting: async () => [],
      cancel: async (id) => void cancelled.push(id),
      cancelWaiting: async (id) => void cancelled.push(`${id} if it waits`),
    },
    controller: { maxScriptBytes: 0, hasAccounting: false },
    learn: async () => undefined,
    instance: "here",
    logger,
    changed: () => undefined,
  });
}

const record = (...lines: string[]) =>
  appendFile(join(folder, uid, "records"), lines.map((line) => `${line}\n`).join(""));
const seconds = (after: number) => T / 1000 + after;
const ask = (queue: readonly QueuedJob[], after: number) =>
  observer.queue([job], queue, T + after * 1000, T + after * 1000);
const queued = (state: string, stage: QueuedJob["stage"], id = "7"): QueuedJob => ({
  id,
  state,
  stage,
  reason: "None",
  nodes: "n1",
  comment: jobComment("here", uid),
});
const main = () => {
  job.refresh(T + 60_000);
  return job.status?.containers[0]?.state;
};

it("opens the records of a job that has ended, whatever age their file system says they have", async () => {
  await record(`${seconds(1)} pod-started n1 1`, `${seconds(1)} created main 0`);
  await record(`${seconds(1)} started main 0 ${seconds(1)}`);
  stamp = "as NFS remembers it";
  await observer.records(job, T + 2000);
  expect(main()).toHaveProperty("running");
  await record(`${seconds(8)} exited main 0 0 ${seconds(8)} Completed -`);
  await record(`${seconds(8)} pod-finished 0`);
  await observer.records(job, T + 9000);
  expect(main()).toHaveProperty("running");
  await ask([queued("COMPLETED", "ended")], 10);
  await observer.records(job, T + 10_000);
  expect(main()?.terminated).toMatchObject({ exitCode: 0, finishedAt: "2026-01-01T00:00:08Z" });
  expect(store.get(uid)?.record.end).toMatchObject({ state: "COMPLETED" });
});

it("says once that records cannot be read, and again when that comes back", async () => {
  const records = join(folder, uid, "records");
  const read = async (hasRecords: boolean) => {
    await (hasRecords ? rename(`${records}.away`, records) : mkdir(records));
    for (const again of ["a", "b"]) {
      stamp += again;
      await observer.records(job, T + 1000);
    }
    await rename(records, `${records}.away`);
  };
  await read(false);
  expect(warnings).toHaveLength(1);
  await rm(`${records}.away`, { recursive: true });
  await record(`${seconds(1)} pod-started n1 1`);
  await rename(records, `${records}.away`);
  await read(true);
  expect(job.records?.startedAt).toBeDefined();
  await rm(`${records}.away`);
  await read(false);
  expect(warnings).toHaveLength(2);
});

it("tells the end of a job that cannot be written down", async () => {
  const full: JobStore<SlurmRecord> = Object.create(store, {
    update: { value: () => Promise.reject(new Error("no space left on device")) },
  });
  observer = observed(full);
  await ask([queued("TIMEOUT", "ended")], 10);
  await observer.records(job, T + 16_000);
  job.refresh(T + 16_000);
  expect(job.status?.extension?.failed?.reason).toBe("DeadlineExceeded");
});

it("asks Slurm for a job that its queue has forgotten, and lets the records tell how it ended", async () => {
  await record(`${seconds(1)} pod-started n1 1`, `${seconds(1)} created main 0`);
  await record(
    `${seconds(2)} exited main 0 4 ${seconds(2)} Error -`,
    `${seconds(2)} pod-finished 4`,
  );
  stamp = "new";
  await observer.records(job, T + 2000);
  for (const after of [3, 4]) await ask([], after);
  expect(main()?.terminated).toMatchObject({ exitCode: 4 });
  expect(job.status?.extension?.failed).toBeUndefined();
  expect(job.isOver).toBe(true);
});

it("gives up no job that Slurm still shows, though its queue does not have it", async () => {
  shown = { id: "7", state: "RUNNING" };
  for (const after of [3, 4, 5, 6]) await ask([], after);
  expect(job.isOver).toBe(false);
  shown = { id: "7", state: "NODE_FAIL", node: "n1" };
  await ask([], 7);
  await observer.records(job, T + 20_000);
  job.refresh(T + 20_000);
  expect(job.status?.extension?.failed?.reason).toBe("NodeLost");
});

it("keeps the job that has claimed the pod, whichever was written down", async () => {
  const both = [queued("PENDING", "waiting"), queued("RUNNING", "running", "9")];
  await ask(both, 3);
  expect([job.jobId, cancelled]).toEqual(["7", []]);
  claimed = "9";
  await ask(both, 4);
  expect([job.jobId, store.get(uid)?.jobId, cancelled]).toEqual(["9", "9", ["7"]]);
});

it("cancels a second job that waits, but none while sbatch may still tell its id", async () => {
  const both = [queued("PENDING", "waiting"), queued("PENDING", "waiting", "9")];
  job.submission = new Promise(() => {});
  await ask(both, 3);
  expect(cancelled).toEqual([]);
  job.submission = undefined;
  await ask(both, 4);
  expect([job.jobId, cancelled]).toEqual(["7", ["9 if it waits"]]);
});
