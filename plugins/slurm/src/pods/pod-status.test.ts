import type { BatchRecords } from "@interlink/plugin-sdk";
import { expect, it } from "vitest";
import type { QueuedJob } from "../slurm/queue.ts";
import { type JobKnowledge, slurmPodStatus } from "./pod-status.ts";

const container = (state: object, rest: object = {}) => ({
  name: "main",
  state,
  lastState: {},
  ready: false,
  restartCount: 0,
  image: "app",
  imageID: "",
  ...rest,
});
const records = (rest: Partial<BatchRecords> = {}): BatchRecords => ({
  containers: [container({ waiting: { reason: "ContainerCreating" } })],
  initContainers: [],
  ...rest,
});
const RUNS: Partial<BatchRecords> = {
  startedAt: "2026-01-01T00:00:00Z",
  containers: [container({ running: { startedAt: "2026-01-01T00:00:01Z" } }, { ready: true })],
};
const DONE: Partial<BatchRecords> = {
  ...RUNS,
  finishedAt: "2026-01-01T00:00:09Z",
  exitCode: 3,
  containers: [container({ terminated: { exitCode: 3, reason: "Error" } })],
};
const queued = (state: string, stage: QueuedJob["stage"], reason = "None"): QueuedJob => ({
  id: "7",
  state,
  stage,
  reason,
  nodes: "n1",
  comment: "",
});
const status = (rest: Partial<JobKnowledge>) => {
  const told = slurmPodStatus({
    pod: { metadata: { name: "p", uid: "u", namespace: "n" } },
    jobId: "7",
    records: records(),
    deleting: false,
    revision: 1,
    now: Date.UTC(2026, 0, 1, 1),
    ...rest,
  });
  const { failed, message } = told.extension ?? {};
  return { state: told.containers[0]?.state, ready: told.containers[0]?.ready, failed, message };
};

it("tells why a queued job waits, in Slurm's words", () => {
  const told = status({ queued: queued("PENDING", "waiting", "Resources") });
  const message =
    "Slurm job 7 is queued (PENDING, Resources): it waits for resources to become free.";
  expect(told).toMatchObject({
    state: { waiting: { reason: "ContainerCreating", message } },
    message,
  });
  expect(status({ jobId: "" }).message).toBe("The pod is being submitted to Slurm.");
  expect(status({ queued: queued("RUNNING", "running") }).message).toContain("starting on n1");
});

it("tells what runs as the job has recorded it", () => {
  const told = status({ records: records(RUNS), queued: queued("RUNNING", "running") });
  expect(told).toEqual({
    state: { running: { startedAt: "2026-01-01T00:00:01Z" } },
    ready: true,
    failed: undefined,
    message: undefined,
  });
});

it("lets no container of a job run that was put back into the queue", () => {
  const told = status({ records: records(RUNS), queued: queued("REQUEUED", "waiting") });
  expect(told.state?.waiting?.message).toContain("REQUEUED");
  expect(told.ready).toBe(false);
});

it.each<[string, object, string, number]>([
  ["TIMEOUT", {}, "DeadlineExceeded", 137],
  ["OUT_OF_MEMORY", {}, "OOMKilled", 137],
  ["NODE_FAIL", {}, "NodeLost", 137],
  ["CANCELLED", { cancelledBy: "user 0" }, "Cancelled", 143],
  ["PREEMPTED", {}, "Preempted", 143],
  ["FAILED", { code: 5 }, "SlurmJobFailed", 5],
])("ends what was still running when the job ended as %s", (state, facts, reason, exitCode) => {
  const end = { id: "7", state, endAt: Date.UTC(2026, 0, 1, 0, 0, 5), ...facts };
  const told = status({ records: records(RUNS), end });
  expect(told.state?.terminated).toMatchObject({
    exitCode,
    reason,
    startedAt: "2026-01-01T00:00:01Z",
    finishedAt: "2026-01-01T00:00:05Z",
  });
  expect(told.failed?.reason).toBe(reason);
});

it("takes the exit code of a job whose disk was too full for its last records", () => {
  const told = (code: number, state: string) =>
    status({ records: records(RUNS), end: { id: "7", state, code } });
  expect(told(0, "COMPLETED")).toMatchObject({
    state: { terminated: { exitCode: 0, reason: "Completed" } },
    failed: undefined,
  });
  expect(told(74, "FAILED").state?.terminated).toMatchObject({ exitCode: 74 });
  expect(told(74, "FAILED").failed?.message).toContain("exit code 74");
});

it("says of a job that has begun nothing what may be the reason", () => {
  expect(status({ end: { id: "7", state: "FAILED", code: 74 } }).failed?.message).toContain(
    "quota",
  );
  const unknown = status({ end: { id: "7", state: "COMPLETED", code: 0 } });
  expect(unknown.state?.terminated).toMatchObject({
    exitCode: 137,
    reason: "ContainerStatusUnknown",
  });
  expect(unknown.failed?.message).toContain("pod's directory");
});

it("never changes what the job has recorded itself", () => {
  const end = { id: "7", state: "FAILED", code: 3 };
  expect(status({ records: records(DONE), end })).toMatchObject({
    state: { terminated: { exitCode: 3, reason: "Error" } },
    failed: undefined,
  });
  expect(status({ records: records(DONE), end: "lost" }).failed).toBeUndefined();
});

it("says that a time limit ended a pod though its containers ended in order", () => {
  const end = { id: "7", state: "TIMEOUT" };
  expect(status({ records: records(DONE), end }).failed?.reason).toBe("DeadlineExceeded");
  const good = records({ ...DONE, exitCode: 0 });
  expect(status({ records: good, end }).failed).toBeUndefined();
});

it("fails a pod whose job nobody knows any more, and says so", () => {
  expect(status({ end: "lost" })).toMatchObject({
    state: { terminated: { exitCode: 137, reason: "SlurmJobLost" } },
    failed: { reason: "SlurmJobLost" },
  });
});

it("does not call its own cancelling a failure", () => {
  const end = { id: "7", state: "CANCELLED" };
  expect(status({ records: records(RUNS), end, deleting: true }).failed).toBeUndefined();
});

it("tells how containers ended that Slurm asked to end, once Slurm has said why", () => {
  const terminated = {
    exitCode: 137,
    reason: "Error",
    startedAt: "2026-01-01T00:00:01Z",
    finishedAt: "2026-01-01T00:00:09Z",
  };
  const asked = records({
    ...DONE,
    exitCode: 137,
    askedToEndAt: "2026-01-01T00:00:08Z",
    containers: [container({ terminated })],
  });
  const running = { running: { startedAt: "2026-01-01T00:00:01Z" } };
  expect(status({ records: asked }).state).toEqual(running);
  expect(status({ records: asked, queued: queued("COMPLETING", "ending") }).state).toEqual(running);
  expect(status({ records: asked, end: { id: "7", state: "PREEMPTED" } })).toMatchObject({
    state: { terminated },
    failed: { reason: "Preempted" },
  });
  // A delete is the plugin's own wish.
  expect(status({ records: asked, deleting: true }).state).toEqual({ terminated });
  // What had ended before is told at once.
  const earlier = { ...terminated, finishedAt: "2026-01-01T00:00:05Z" };
  const mixed = { ...asked, containers: [container({ terminated: earlier })] };
  expect(status({ records: mixed }).state).toEqual({ terminated: earlier });
});

it("lets the containers of a job wait that Slurm has put back into its queue", () => {
  const terminated = { exitCode: 137, finishedAt: "2026-01-01T00:00:09Z" };
  const told = slurmPodStatus({
    pod: { metadata: { name: "p", uid: "u", namespace: "n" } },
    jobId: "7",
    records: records({
      ...DONE,
      askedToEndAt: "2026-01-01T00:00:08Z",
      containers: [container({ terminated })],
    }),
    queued: queued("PENDING", "waiting", "BeginTime"),
    deleting: false,
    revision: 1,
    now: Date.UTC(2026, 0, 1, 1),
  });
  expect(told.containers[0]).toMatchObject({
    state: { waiting: { message: expect.stringContaining("BeginTime") } },
    lastState: { terminated },
    ready: false,
  });
  expect(told.extension?.failed).toBeUndefined();
});
