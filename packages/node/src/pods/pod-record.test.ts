import { describe, expect, test } from "vitest";
import { aPod, ended, running, status } from "../testing/pods.ts";
import { factsOf, newRecord, type PodRecord } from "./pod-record.ts";

const START = "2026-01-01T00:00:00Z";
const after = (seconds: number): number => Date.parse(START) + seconds * 1000;

function recordWith(state: ReturnType<typeof running>): PodRecord {
  const pod = aPod(
    { activeDeadlineSeconds: 60 },
    { status: { phase: "Running", startTime: START } },
  );
  const record = newRecord(pod, false, 0);
  record.remote = {
    name: "p",
    namespace: "default",
    UID: "uid-1",
    JID: "",
    containers: [status("main", state)],
    initContainers: [],
  };
  return record;
}

describe("the deadline of a pod", () => {
  test("counts from its start", () => {
    expect(factsOf(recordWith(running()), after(50)).deadlineInMs).toBe(10_000);
  });

  test("does not wake a pod again and again that ended in time and only waits to be written", () => {
    expect(factsOf(recordWith(ended(0)), after(61)).deadlineInMs).toBeUndefined();
  });

  test("does not wake a pod that the node has given up", () => {
    const record = recordWith(running());
    record.verdict = { reason: "JobLost", message: "lost" };
    expect(factsOf(record, after(61)).deadlineInMs).toBeUndefined();
  });
});
