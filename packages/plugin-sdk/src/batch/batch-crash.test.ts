import { access, mkdir, readdir, readFile, rmdir, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { BatchJob, bareRuntime, batchPod, shell } from "../testing/batch-job.ts";
import { eventually } from "../testing/eventually.ts";

const forever = "while :; do sleep 0.05; done";
/** Tells its process id; `$$` is how a pod writes a `$`. */
const longLived = `echo $$$$; ${forever}`;

async function pidOf(job: BatchJob, container: string): Promise<number> {
  return eventually(`the process id of ${container}`, async () => {
    const text = await job.log(container).catch(() => "");
    return /^\d+\n/.test(text) && Number.parseInt(text, 10);
  });
}

/** The process with this command line, words with a NUL behind each. */
async function processOf(commandLine: string): Promise<number | undefined> {
  for (const name of await readdir("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    const found = await readFile(`/proc/${name}/cmdline`, "utf8").catch(() => "");
    if (found === commandLine) return Number(name);
  }
  return undefined;
}

/** Whether it is there and no zombie. */
async function isRunning(pid: number): Promise<boolean> {
  const stat = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => "");
  return stat !== "" && !/\) Z /.test(stat);
}

test("when the script is killed with SIGKILL its containers end with it, and their ends are recorded", async () => {
  const pod = batchPod({
    initContainers: [shell("side", longLived, { restartPolicy: "Always" })],
    containers: [shell("main", longLived)],
  });
  await using job = await BatchJob.start(pod);
  const pids = await Promise.all([pidOf(job, "side"), pidOf(job, "main")]);
  job.child.kill("SIGKILL");
  await job.end();
  for (const pid of pids) {
    await eventually("the container's end", async () => !(await isRunning(pid)));
  }
  await eventually("the record of its end", async () =>
    (await job.lines()).some((line) => line.startsWith("exited main 0 137")),
  );
  const { containers, finishedAt } = await job.records();
  expect(containers[0]?.state?.terminated).toMatchObject({ exitCode: 137, reason: "Error" });
  expect(finishedAt).toBeUndefined();
});

test.each([
  ["a probe", { readinessProbe: { exec: { command: ["sleep", "54321"] }, timeoutSeconds: 1000 } }],
  ["a hook", { lifecycle: { postStart: { exec: { command: ["sleep", "54321"] } } } }],
  ["a preparation", {}],
])("when the script is killed with SIGKILL, %s that it runs ends as well", async (what, rest) => {
  const marker = `${54_321 + process.pid}`;
  const isPrepare = what === "a preparation";
  const pod = batchPod(
    {
      containers: [
        shell(
          "main",
          longLived,
          JSON.parse(JSON.stringify(rest).replace("54321", marker)) as object,
        ),
      ],
    },
    {
      runtime: isPrepare ? { ...bareRuntime, prepare: () => [[["sleep"], [marker]]] } : bareRuntime,
    },
  );
  await using job = await BatchJob.start(pod);
  const asleep = await eventually(`the process of ${what}`, () => processOf(`sleep\0${marker}\0`));
  job.child.kill("SIGKILL");
  await job.end();
  await eventually("its end", async () => !(await isRunning(asleep)));
});

test("when the process that waits for a container is killed, the script ends the container and goes on", async () => {
  // The probe keeps the script awake: a script that sleeps notices it only when it wakes.
  const readinessProbe = { exec: { command: ["true"] }, periodSeconds: 1 };
  const pod = batchPod({
    restartPolicy: "OnFailure",
    containers: [shell("main", longLived), shell("other", longLived, { readinessProbe })],
  });
  await using job = await BatchJob.start(pod);
  const pid = await pidOf(job, "main");
  const stat = await readFile(`/proc/${pid}/stat`, "utf8");
  const parent = Number(stat.slice(stat.lastIndexOf(")")).split(" ")[2]);
  process.kill(parent, "SIGKILL");
  await job.until("exited main 0 137");
  await job.until("started main 1");
  await eventually("the container's end", async () => !(await isRunning(pid)));
});

test("a container that is halted for a while has not ended", async () => {
  const pod = batchPod({ containers: [shell("main", `trap 'exit 5' TERM; ${longLived}`)] });
  await using job = await BatchJob.start(pod);
  const pid = await pidOf(job, "main");
  process.kill(pid, "SIGSTOP");
  await eventually("the halt", async () =>
    /\) T /.test(await readFile(`/proc/${pid}/stat`, "utf8")),
  );
  process.kill(pid, "SIGCONT");
  await eventually("the end of the halt", async () =>
    /\) [RS] /.test(await readFile(`/proc/${pid}/stat`, "utf8")),
  );
  expect((await job.records()).containers[0]?.state?.running).toBeDefined();
  job.terminate();
  expect(await job.end()).toBe(5);
});

test("a job that was put back into the queue runs its pod from the beginning, with attempts counted on", async () => {
  const pod = batchPod({
    initContainers: [shell("init", "echo again")],
    containers: [shell("main", longLived)],
  });
  await using job = await BatchJob.start(pod);
  await job.until("started main 0");
  job.child.kill("SIGKILL");
  await job.end();
  // As after a power cut: the end was never written, and the last line is cut off.
  const text = await job.file("records");
  const until = text.indexOf("started main 0");
  await truncate(join(job.directory, "records"), until + 10);

  await using next = job.again();
  await next.until("started main 1");
  const { containers, initContainers } = await next.records();
  expect(initContainers[0]).toMatchObject({ restartCount: 1, ready: true });
  expect(containers[0]).toMatchObject({
    restartCount: 1,
    state: { running: {} },
    lastState: { terminated: { exitCode: 137, reason: "ContainerStatusUnknown" } },
  });
});

test.each([
  "pod-started",
  "pulling init",
  "created init",
  "started init",
  "created side",
  "startup side",
  "created main",
  "started main",
  "stopping main 0 liveness",
  "exited main 0",
])("after SIGTERM at '%s' all that began has ended, and nothing begins", async (moment) => {
  const pod = batchPod(
    {
      restartPolicy: "Always",
      initContainers: [
        shell("init", "true"),
        shell("side", `trap 'exit 0' TERM; ${forever}`, {
          restartPolicy: "Always",
          startupProbe: { exec: { command: ["true"] } },
        }),
      ],
      containers: [
        shell("main", `trap 'exit 0' TERM; ${forever}`, {
          livenessProbe: { exec: { command: ["false"] }, failureThreshold: 1 },
        }),
        shell("other", longLived),
      ],
    },
    {
      backOffMs: 60_000,
      runtime: { ...bareRuntime, prepare: () => [[["sh"], ["-c"], ["sleep 0.1"]]] },
    },
  );
  await using job = await BatchJob.start(pod);
  await job.until(moment);
  job.terminate();
  const code = await job.end();
  const lines = await job.lines();
  const attempts = (word: string) =>
    lines
      .filter((line) => line.startsWith(`${word} `))
      .map((line) => line.split(" ").slice(1, 3).join(" "))
      .toSorted();
  expect(attempts("exited")).toEqual(attempts("created"));
  expect(lines.at(-1)).toBe(`pod-finished ${code}`);
  const last = lines.lastIndexOf("ending delete");
  expect(last).toBeGreaterThan(0);
  expect(lines.slice(last).filter((line) => line.startsWith("created"))).toEqual([]);
});

test("SIGTERM ends what prepares an image, however long that takes", async () => {
  const runtime = { ...bareRuntime, prepare: () => [[["sleep"], ["1000"]]] };
  const pod = batchPod({ containers: [shell("main", "true")] }, { runtime });
  await using job = await BatchJob.start(pod);
  await job.until("pulling main");
  job.terminate();
  expect(await job.end()).toBe(143);
});

test("records that the disk does not take are written when it does", async () => {
  const pod = batchPod(
    { containers: [shell("main", 'until [ -e "$1" ]; do sleep 0.05; done; exit 3')] },
    {
      runtime: {
        ...bareRuntime,
        run: ({ command = [] }) => [
          ...command.map((word) => [word]),
          ["sh"],
          [{ attemptPath: "go" }],
        ],
      },
    },
  );
  await using job = await BatchJob.start(pod, {
    prepare: (directory) => mkdir(join(directory, "records"), { recursive: true }),
  });
  const attempt = join(job.directory, "containers/main/0");
  await eventually("the attempt", () =>
    access(attempt).then(
      () => true,
      () => false,
    ),
  );
  await rmdir(join(job.directory, "records"));
  await writeFile(join(attempt, "go"), "");
  expect(await job.end()).toBe(3);
  const lines = (await job.lines()).filter((line) => line !== "");
  expect(lines.map((line) => line.split(" ")[0])).toEqual([
    "pod-started",
    "created",
    "started",
    "exited",
    "ending",
    "pod-finished",
  ]);
  expect((await job.records()).containers[0]?.state?.terminated?.exitCode).toBe(3);
});
