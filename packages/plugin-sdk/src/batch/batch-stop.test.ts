import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Lifecycle } from "kubernetes-types/core/v1.js";
import { expect, test } from "vitest";
import { BatchJob, bareRuntime, batchPod, shell } from "../testing/batch-job.ts";
import { eventually } from "../testing/eventually.ts";
import { temporaryDirectory } from "../testing/temporary-directory.ts";
import type { BatchPod } from "./contract.ts";
import { SETTINGS_FILE } from "./encode.ts";
import { writeBatchGrace } from "./write-batch-pod.ts";

const forever = "while :; do sleep 0.05; done";
const obedient = `trap 'echo stopped; exit 0' TERM; echo ready; ${forever}`;
const deaf = `trap '' TERM; echo ready; ${forever}`;

async function says(job: BatchJob, container: string, text: string): Promise<void> {
  await eventually(`"${text}" in the log of ${container}`, async () =>
    (await job.log(container).catch(() => "")).includes(text),
  );
}

test("SIGTERM runs preStop hooks, then stops each container; the sidecar hears it last", async () => {
  const lifecycle = {
    preStop: { exec: { command: ["sh", "-c", "sleep 1.5"] } },
  };
  const pod = batchPod({
    initContainers: [shell("side", obedient, { restartPolicy: "Always" })],
    containers: [shell("main", obedient, { lifecycle }), shell("other", obedient)],
  });
  await using job = await BatchJob.start(pod);
  await Promise.all(["side", "main", "other"].map((name) => says(job, name, "ready")));
  job.terminate();
  expect(await job.end()).toBe(0);
  const lines = await job.lines();
  const place = (start: string) => lines.findIndex((line) => line.startsWith(start));
  expect(lines).toContain("ending delete");
  expect(lines).toContain("stopping main 0 delete");
  expect(place("exited other 0 0")).toBeLessThan(place("exited main 0 0"));
  expect(place("exited main 0 0")).toBeLessThan(place("exited side 0 0"));
  expect(await job.log("main")).toMatch(/^ready\n(Terminated\n)?stopped\n$/);
  const { containers, events } = await job.records();
  expect(containers[0]?.state?.terminated).toMatchObject({ exitCode: 0, reason: "Completed" });
  expect(events).toContainEqual(
    expect.objectContaining({ reason: "Killing", message: "Stopping container main" }),
  );
});

test("what does not hear the stop signal is killed when the grace is over, with all its processes", async () => {
  const pod = batchPod({
    terminationGracePeriodSeconds: 1,
    containers: [shell("main", `(trap '' TERM; echo $$$$; ${forever}) & ${deaf}`)],
  });
  await using job = await BatchJob.start(pod);
  await says(job, "main", "ready");
  job.terminate();
  expect(await job.end()).toBe(137);
  const { containers } = await job.records();
  expect(containers[0]?.state?.terminated).toMatchObject({ exitCode: 137, reason: "Error" });
});

test("the grace is what the delete asks for, and a later delete shortens it", async () => {
  const pod = batchPod({
    terminationGracePeriodSeconds: 1000,
    containers: [shell("main", deaf), shell("other", obedient)],
  });
  await using job = await BatchJob.start(pod);
  await Promise.all([says(job, "main", "ready"), says(job, "other", "ready")]);
  await writeBatchGrace(job.directory, 500);
  job.terminate();
  await job.until("exited other");
  await writeBatchGrace(job.directory, 0);
  job.terminate();
  expect(await job.end()).toBe(137);
  expect((await job.lines()).filter((line) => line.startsWith("ending"))).toHaveLength(1);
});

test("a preStop hook that never ends is given up when the grace is over", async () => {
  const pod = batchPod({
    terminationGracePeriodSeconds: 1,
    containers: [
      shell("main", obedient, { lifecycle: { preStop: { exec: { command: ["sleep", "1000"] } } } }),
    ],
  });
  await using job = await BatchJob.start(pod);
  await says(job, "main", "ready");
  job.terminate();
  expect(await job.end()).toBe(0);
  expect(await job.log("main")).toContain("stopped");
});

test("the stop signal is the one that the container asks for", async () => {
  const lifecycle = { stopSignal: "SIGUSR1" } as Lifecycle;
  const script = `trap 'echo usr1; exit 5' USR1; trap 'exit 6' TERM; echo ready; ${forever}`;
  const pod = batchPod({ containers: [shell("main", script, { lifecycle })] });
  await using job = await BatchJob.start(pod);
  await says(job, "main", "ready");
  job.terminate();
  expect(await job.end()).toBe(5);
});

test("SIGTERM while an init container runs ends it, and no container starts", async () => {
  const pod = batchPod({
    initContainers: [shell("init", obedient)],
    containers: [shell("main", "true")],
  });
  await using job = await BatchJob.start(pod);
  await says(job, "init", "ready");
  job.terminate();
  expect(await job.end()).toBe(143);
  const lines = await job.lines();
  expect(lines.some((line) => line.startsWith("created main"))).toBe(false);
  expect((await job.records()).containers[0]?.state?.waiting).toBeDefined();
});

test("SIGTERM while a restart is waited for ends the pod with how the container ended", async () => {
  const pod = batchPod(
    { restartPolicy: "Always", containers: [shell("main", "exit 9")] },
    { backOffMs: 60_000 },
  );
  await using job = await BatchJob.start(pod);
  await job.until("waiting main 1");
  const [waiting] = (await job.records()).containers;
  expect(waiting?.state?.waiting).toMatchObject({
    reason: "CrashLoopBackOff",
    message: expect.stringContaining("back-off 1m0s restarting failed container=main pod=pod-"),
  });
  job.terminate();
  expect(await job.end()).toBe(9);
  const [status] = (await job.records()).containers;
  expect(status?.state?.terminated).toMatchObject({ exitCode: 9, reason: "Error" });
});

test("a container starts with no signal ignored, the job's umask, and none of the script's own files", async () => {
  const pod = batchPod({
    containers: [shell("main", "grep SigIgn /proc/self/status; umask; ls /proc/self/fd")],
  });
  await using job = await BatchJob.start(pod);
  expect(await job.end()).toBe(0);
  const [ignored, mask, ...files] = (await job.log("main")).trim().split("\n");
  expect(ignored).toMatch(/0000000000000000$/);
  expect(mask).toBe(process.umask().toString(8).padStart(4, "0"));
  // 3 is the directory that is being read; what the tests themselves were started with is higher.
  const own = files.map(Number).filter((file) => file < 10);
  expect(new Set(own)).toEqual(new Set([0, 1, 2, 3]));
});

test("messages come from the file, and from the log where the container wants that", async () => {
  const script = 'echo in the log; printf "in the file" >"$1"; exit 1';
  const pod = batchPod(
    {
      containers: [
        shell("file", script),
        shell("log", "echo in the log; exit 1", {
          terminationMessagePolicy: "FallbackToLogsOnError",
        }),
        shell("large", 'head -c 100000 /dev/zero | tr "\\0" x >"$1"; exit 1'),
        shell("pipe", 'rm "$1"; mkfifo "$1"; exit 1'),
      ],
    },
    {
      runtime: {
        ...bareRuntime,
        run: ({ command = [] }) => [
          ...command.map((word) => [word]),
          ["sh"],
          [{ attemptPath: "termination-log" }],
        ],
      },
    },
  );
  await using job = await BatchJob.start(pod);
  expect(await job.end()).toBe(1);
  const messages = (await job.records()).containers.map(({ state }) => state?.terminated?.message);
  expect(messages).toEqual(["in the file", "in the log\n", "x".repeat(3072), undefined]);
});

test("a container killed for want of memory is told apart by the kernel's count of the job", async () => {
  await using directory = await temporaryDirectory();
  const oomFile = join(directory.path, "memory.events");
  await writeFile(oomFile, "oom 7\noom_kill 2\n");
  const planned = batchPod({
    restartPolicy: "Never",
    initContainers: [shell("unhurt", "true")],
    containers: [shell("main", `printf 'oom 8\\noom_kill 3\\n' >${oomFile}; kill -9 $$$$`)],
  });
  await using job = await BatchJob.start(withSetting(planned, "oomFile", oomFile));
  expect(await job.end()).toBe(137);
  const { containers } = await job.records();
  expect(containers[0]?.state?.terminated).toMatchObject({ exitCode: 137, reason: "OOMKilled" });
});

test("a container killed otherwise is no OOM", async () => {
  await using directory = await temporaryDirectory();
  const oomFile = join(directory.path, "memory.events");
  await writeFile(oomFile, "oom 7\noom_kill 2\n");
  const planned = batchPod({ containers: [shell("main", "kill -9 $$$$")] });
  await using job = await BatchJob.start(withSetting(planned, "oomFile", oomFile));
  expect(await job.end()).toBe(137);
  const { containers } = await job.records();
  expect(containers[0]?.state?.terminated).toMatchObject({ exitCode: 137, reason: "Error" });
});

/** Where the machine's own file would be looked at. */
function withSetting(pod: BatchPod, key: string, value: string): BatchPod {
  const files = pod.files.map((file) =>
    file.path === SETTINGS_FILE
      ? { ...file, content: Buffer.concat([file.content, Buffer.from(`${key}\0${value}\0`)]) }
      : file,
  );
  return { ...pod, files };
}
