import { readFile } from "node:fs/promises";
import type { Container } from "kubernetes-types/core/v1.js";
import { expect, test } from "vitest";
import { BatchJob, bareRuntime, batchPod, shell } from "../testing/batch-job.ts";
import { eventually } from "../testing/eventually.ts";

const forever = "while :; do sleep 0.05; done";

test("init containers run in order, then containers side by side, and the job ends with the highest code", async () => {
  const pod = batchPod({
    initContainers: [shell("first", "echo 1"), shell("second", "echo 2")],
    containers: [shell("a", "exit 3"), shell("b", "exit 7"), shell("c", "true")],
  });
  await using job = await BatchJob.start(pod);
  expect(await job.end()).toBe(7);
  const lines = await job.lines();
  const place = (start: string) => lines.findIndex((line) => line.startsWith(start));
  expect(place("exited first 0 0")).toBeLessThan(place("created second 0"));
  expect(place("exited second 0 0")).toBeLessThan(place("created a 0"));
  const { containers, initContainers, finishedAt, exitCode } = await job.records();
  expect(exitCode).toBe(7);
  expect(finishedAt).toMatch(/^\d{4}-.*Z$/);
  expect(containers.map(({ state }) => state?.terminated)).toMatchObject([
    { exitCode: 3, reason: "Error", startedAt: expect.any(String), finishedAt: expect.any(String) },
    { exitCode: 7, reason: "Error" },
    { exitCode: 0, reason: "Completed" },
  ]);
  expect(initContainers.map(({ ready }) => ready)).toEqual([true, true]);
});

test("an init container that fails ends the pod; no container starts", async () => {
  const pod = batchPod({
    initContainers: [shell("init", "echo why; exit 4")],
    containers: [shell("main", "true")],
  });
  await using job = await BatchJob.start(pod);
  expect(await job.end()).toBe(4);
  const { containers, initContainers } = await job.records();
  expect(initContainers[0]?.state?.terminated).toMatchObject({ exitCode: 4, reason: "Error" });
  expect(containers[0]?.state).toEqual({ waiting: { reason: "PodInitializing" } });
  expect(await job.log("init")).toBe("why\n");
});

test("sidecars run before and beside the containers and end last, in reverse order", async () => {
  const sidecar = (name: string) =>
    shell(name, `trap 'exit 0' TERM; ${forever}`, { restartPolicy: "Always" });
  const pod = batchPod({
    initContainers: [sidecar("one"), sidecar("two")],
    containers: [shell("main", "sleep 0.2; exit 0")],
  });
  await using job = await BatchJob.start(pod);
  expect(await job.end()).toBe(0);
  const lines = await job.lines();
  const place = (start: string) => lines.findIndex((line) => line.startsWith(start));
  expect(place("started two")).toBeGreaterThan(place("started one"));
  expect(place("created main")).toBeGreaterThan(place("started two"));
  expect(place("exited two")).toBeGreaterThan(place("exited main"));
  expect(place("exited one")).toBeGreaterThan(place("exited two"));
});

test("a container that may restart does so, at first at once, then after growing back-offs", async () => {
  const pod = batchPod(
    { restartPolicy: "OnFailure", containers: [shell("main", 'exit "$((3 - $1))"')] },
    {
      runtime: {
        ...bareRuntime,
        run: ({ command = [] }) => [
          ...command.map((word) => [word]),
          ["sh"],
          [{ attemptValue: "number" }],
        ],
      },
    },
  );
  await using job = await BatchJob.start(pod);
  const line = await job.until("waiting main 1 ");
  expect(line).toBe("waiting main 1 50");
  expect(await job.end()).toBe(0);
  expect((await job.lines()).filter((each) => each.startsWith("waiting"))).toEqual([
    "waiting main 1 50",
    "waiting main 2 100",
  ]);
  const [status] = (await job.records()).containers;
  expect(status).toMatchObject({
    restartCount: 3,
    state: { terminated: { exitCode: 0, reason: "Completed" } },
    lastState: { terminated: { exitCode: 1 } },
  });
});

test("a container's own policy and rules decide on its restart before the pod's", async () => {
  // Ends with this code at first, then with 0.
  const ends = (name: string, code: number, rest: object = {}): Container => ({
    ...shell(name, `[ "$1" = 0 ] && exit ${code}; exit 0`),
    ...rest,
  });
  const rule = (operator: string, ...values: number[]) => ({
    restartPolicy: "Never",
    restartPolicyRules: [{ action: "Restart", exitCodes: { operator, values } }],
  });
  const pod = batchPod(
    {
      restartPolicy: "Never",
      containers: [
        ends("of-the-pod", 3),
        ends("own", 3, { restartPolicy: "OnFailure" }),
        ends("in", 3, rule("In", 1, 3)),
        ends("in-others", 13, rule("In", 1, 3)),
        ends("not-in", 3, rule("NotIn", 0, 5)),
        ends("not-in-it", 3, rule("NotIn", 0, 3)),
      ],
    },
    {
      runtime: {
        ...bareRuntime,
        run: ({ command = [] }) => [
          ...command.map((word) => [word]),
          ["sh"],
          [{ attemptValue: "number" }],
        ],
      },
    },
  );
  await using job = await BatchJob.start(pod);
  expect(await job.end()).toBe(13);
  const { containers } = await job.records();
  const restarts = containers.map(({ name, restartCount }) => [name, restartCount]);
  expect(Object.fromEntries(restarts)).toEqual({
    "of-the-pod": 0,
    own: 1,
    in: 1,
    "in-others": 0,
    "not-in": 1,
    "not-in-it": 0,
  });
});

test("nothing of a container outlives its first process", async () => {
  const pod = batchPod({
    containers: [shell("main", "sleep 1000 & echo $!; exit 0")],
  });
  await using job = await BatchJob.start(pod);
  expect(await job.end()).toBe(0);
  const pid = Number(await job.log("main"));
  await eventually("the child's end", async () => !(await isRunning(pid)));
});

test("a command that does not exist is a start error with the words of the machine", async () => {
  const pod = batchPod({ containers: [{ name: "main", command: ["no-such-program"] }] });
  await using job = await BatchJob.start(pod);
  expect(await job.end()).toBe(127);
  const { containers } = await job.records();
  expect(containers[0]?.state?.terminated).toMatchObject({ exitCode: 127, reason: "StartError" });
  expect(containers[0]?.state?.terminated?.message).toContain("no-such-program");
});

/** Whether it is there and no zombie. */
async function isRunning(pid: number): Promise<boolean> {
  const stat = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => "");
  return stat !== "" && !/\) Z /.test(stat);
}
