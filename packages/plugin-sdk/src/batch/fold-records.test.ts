import fc from "fast-check";
import type { Pod } from "kubernetes-types/core/v1.js";
import { describe, expect, test } from "vitest";
import { planPod } from "../supervisor/planned-pod.ts";
import { foldRecords } from "./fold-records.ts";

const pod: Pod = {
  metadata: { uid: "u", name: "p", namespace: "n" },
  spec: {
    restartPolicy: "Always",
    initContainers: [{ name: "init", image: "i" }],
    containers: [{ name: "main", image: "m" }],
  },
};
const plan = planPod(pod);
const base64 = (text: string) => Buffer.from(text).toString("base64");
const fold = (...lines: string[]) => foldRecords(lines.map((line) => `${line}\n`).join(""), plan);

const run = [
  "100.5 pod-started node7 4711",
  "101 created main 0",
  "102 started main 0 101.9",
  "103 ready main 0",
];

describe("the records of a job", () => {
  test("tell a container's way", () => {
    const { record, startedAt, hostName } = fold(...run);
    expect({ startedAt, hostName }).toEqual({ startedAt: 100_500, hostName: "node7" });
    expect(record.containers["main"]?.current).toEqual({
      attempt: 0,
      id: "u/main/0",
      imageID: "",
      image: "m",
      state: "running",
      startedAt: 101_900,
      ready: true,
    });
  });

  test("count each line once, however often it was written", () => {
    const end = `110 exited main 0 3 109.5 Error ${base64("why")}`;
    const { record } = fold(...run, end, "111 exited main 0 0 110.9 Completed -", ...run, end);
    expect(record.containers["main"]?.current).toMatchObject({
      attempt: 0,
      state: "exited",
      exitCode: 3,
      reason: "Error",
      message: "why",
      finishedAt: 109_500,
    });
  });

  test("lose no running container by lines that a full disk took in part and got again", () => {
    const { record } = fold(...run.slice(0, 2), "10", ...run);
    expect(record.lost).toBeUndefined();
    expect(record.containers["main"]?.current).toMatchObject({ attempt: 0, state: "running" });
  });

  test("keep the attempt before the newest one", () => {
    const { record } = fold(
      ...run,
      "110 exited main 0 3 110 Error -",
      "110 waiting main 0 10000",
      "120 created main 1",
    );
    expect(record.containers["main"]).toMatchObject({
      previous: { attempt: 0, exitCode: 3 },
      current: { attempt: 1, state: "created" },
      crash: { delayMs: 10_000, updatedAt: 110_000 },
    });
  });

  test("say nothing by a line that is cut off", () => {
    const text = `${run.join("\n")}\n110 exited main 0 3`;
    const { record } = foldRecords(text, plan);
    expect(record.containers["main"]?.current?.state).toBe("running");
  });

  test.each([
    "x created main 0",
    "101 created other 0",
    "101 created __proto__ 0",
    "101 created main -1",
    "101 created main 0x1",
    "1e3 created main 0",
    "101 started main 0",
    "101 exited main 0 0 0 - -",
    "101  created main 0",
    "nonsense",
    "",
  ])("say nothing by %j", (line) => {
    expect(fold(line).record.containers["main"]?.current).toBeUndefined();
  });

  test("hold an end that no one else has seen begin", () => {
    const { record } = fold("101 created main 0", "102 exited main 0 128 102 StartError -");
    expect(record.containers["main"]?.current).toMatchObject({ exitCode: 128, startFailed: true });
  });

  test("tell the newest hundred events", () => {
    const line = `104 unhealthy main 0 readiness ${base64("no")}`;
    const { events } = fold(...run, ...Array.from({ length: 300 }, () => line));
    expect(events).toHaveLength(100);
  });

  test("are read to the end whatever they hold", () => {
    const word = fc.oneof(
      fc.constantFrom("created", "started", "exited", "waiting", "pulling", "pull-failed", "main"),
      fc.constantFrom("init", "0", "1", "137", "-", "stopping", "unhealthy", "liveness", "ready"),
      fc.constantFrom("pod-started", "pod-finished", "ending", "delete", "failed", "problem", ""),
      fc.string({ unit: "binary" }),
    );
    const line = fc.tuple(fc.constantFrom("1.5", "2", "x"), fc.array(word, { maxLength: 7 }));
    const text = fc
      .array(line, { maxLength: 30 })
      .map((lines) => lines.map(([time, words]) => [time, ...words].join(" ")).join("\n"));
    fc.assert(
      fc.property(text, (content) => {
        const { record } = foldRecords(content, plan);
        for (const name of Object.keys(record.containers)) expect(["init", "main"]).toContain(name);
      }),
      { numRuns: 500 },
    );
  });
});
