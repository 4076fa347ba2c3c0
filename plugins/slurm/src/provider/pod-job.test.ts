import { type BatchEvent, noBatchRecords } from "@interlink/plugin-sdk";
import { CREATED_BY_ANNOTATION } from "@interlink/protocol";
import type { Pod } from "kubernetes-types/core/v1.js";
import { beforeEach, describe, expect, it } from "vitest";
import type { QueuedJob } from "../slurm/queue.ts";
import { PodJob } from "./pod-job.ts";
import { EMPTY_RECORD } from "./slurm-record.ts";

const pod: Pod = {
  metadata: { name: "p", namespace: "default", uid: "u" },
  spec: { containers: [{ name: "main", image: "i" }] },
};
const waiting: QueuedJob = {
  id: "7",
  state: "PENDING",
  stage: "waiting",
  reason: "Priority",
  nodes: "",
  comment: "",
};
const records = noBatchRecords({ containers: [], pod }, { now: 0 });

let job: PodJob;
beforeEach(() => {
  job = new PodJob(pod, EMPTY_RECORD, "7", 0);
  job.records = records;
  job.queued = waiting;
  job.queuedAt = 1;
});

describe("the status of a pod's job", () => {
  const changes: [string, (one: PodJob) => void][] = [
    ["Slurm's reason", (one) => (one.queued = { ...waiting, reason: "Resources" })],
    ["its state", (one) => (one.queued = { ...waiting, state: "CONFIGURING", stage: "running" })],
    ["its id", (one) => (one.jobId = "8")],
    ["a delete", (one) => (one.deleting = true)],
    ["an image on its way", (one) => (one.pulling = { reason: "Pulling", message: "of an image" })],
    ["its end", (one) => (one.record = { ...one.record, end: "lost" })],
    ["its records", (one) => (one.records = { ...records, startedAt: "2026-01-01T00:00:00Z" })],
    [
      "what others say of the pod",
      (one) =>
        one.exchangePod({
          ...pod,
          metadata: { ...pod.metadata, annotations: { [CREATED_BY_ANNOTATION]: "n" } },
        }),
    ],
  ];

  it.each(changes)("is told anew for %s, and once", (_what, change) => {
    expect(job.refresh(10)?.extension?.revision).toBe(1);
    change(job);
    expect(job.refresh(20)?.extension?.revision).toBe(2);
    expect(job.refresh(30)).toBeUndefined();
  });

  it("is not told for what it does not show", () => {
    const first = job.refresh(10);
    job.queued = { ...waiting, startAt: 1000, comment: "other" };
    job.queuedAt = 20;
    expect(job.refresh(20)).toBeUndefined();
    expect(job.status).toBe(first);
  });

  it("of a job that has begun since Slurm was asked does not say that it waits", () => {
    job.refresh(10);
    job.records = { ...records, startedAt: "2026-01-01T00:00:00Z" };
    job.recordsAt = 5;
    expect(job.refresh(20)?.extension?.message).toBeUndefined();
    job.queuedAt = 6;
    expect(job.refresh(30)?.extension?.message).toContain("Priority");
  });

  it("of a job that ended at no known time keeps the time at which that was seen first", () => {
    job.record = { ...job.record, end: "lost" };
    const first = job.refresh(10_000);
    expect(job.refresh(90_000)).toBeUndefined();
    expect(job.status).toBe(first);
  });
});

describe("events of a pod's job", () => {
  const event = (reason: string): BatchEvent => ({
    at: "2026-01-01T00:00:00Z",
    type: "Normal",
    reason,
    message: "m",
  });

  it("are new once, also when records that tell them again are read", () => {
    job.records = { ...records, events: [event("A")] };
    expect(job.newEvents()).toEqual([event("A")]);
    expect(job.newEvents()).toEqual([]);
    job.records = { ...records, events: [event("A"), event("B")] };
    expect(job.newEvents()).toEqual([event("B")]);
    job.records = { ...records, events: [event("C")] };
    expect(job.newEvents(true)).toEqual([]);
    expect(job.newEvents()).toEqual([]);
  });
});
