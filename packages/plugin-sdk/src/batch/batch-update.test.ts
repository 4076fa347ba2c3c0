import { spawn } from "node:child_process";
import { once } from "node:events";
import { readdir, readFile, readlink, realpath } from "node:fs/promises";
import { join } from "node:path";
import type { PodSpec } from "kubernetes-types/core/v1.js";
import { describe, expect, test } from "vitest";
import { BatchJob, bareRuntime, batchPod, shell } from "../testing/batch-job.ts";
import { eventually } from "../testing/eventually.ts";
import { batchScriptPath } from "./batch-script.ts";
import type { BatchPod, BatchRuntime } from "./contract.ts";
import { encodeBatchUpdate } from "./encode-batch-update.ts";
import { readBatchRecords } from "./read-batch-records.ts";

/** The container's command with the places of its mounts behind it. */
const mounting: BatchRuntime = {
  ...bareRuntime,
  run: ({ command = [], mounts }) => [
    ...command.map((word) => [word]),
    ["sh"],
    ...mounts.map(({ source }) => source),
  ],
};

const podOf = (
  spec: Partial<PodSpec>,
  data: Record<string, string> = {},
  runtime: BatchRuntime = mounting,
): BatchPod =>
  batchPod(
    { volumes: [{ name: "v", configMap: { name: "m" } }], ...spec },
    { configMaps: [{ metadata: { name: "m" }, data }], runtime },
  );

/** What the script says. `input`: in the place of all of it. `killMs`: it is killed after so many milliseconds. */
async function update(
  directory: string,
  pod: BatchPod,
  input?: Uint8Array,
  killMs?: number,
): Promise<{ code: number | null; said: string }> {
  const told = encodeBatchUpdate(pod);
  const child = spawn("bash", ["-p", batchScriptPath(), directory, ...told.words], {
    env: { PATH: process.env["PATH"] },
    stdio: ["pipe", "pipe", "pipe"],
  });
  const timer = killMs === undefined ? undefined : setTimeout(() => child.kill("SIGKILL"), killMs);
  child.stdin.on("error", () => undefined);
  let said = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.on("data", (chunk: Buffer) => {
      said += chunk.toString();
    });
  }
  child.stdin.end(input ?? told.input);
  const [code] = (await once(child, "close")) as [number | null];
  clearTimeout(timer);
  return { code, said };
}

const readRecords = (job: BatchJob, pod: BatchPod) => readBatchRecords(job.directory, pod);
const watching = (files: string): string =>
  `last=; while :; do now=$(cat ${files}); [ "$now" = "$last" ] || echo "[$now]"; last=$now; sleep 0.02; done`;
const logOf = (job: BatchJob, attempt = 0) => job.log("main", attempt).catch(() => "");
const printed = (job: BatchJob, text: string) =>
  eventually(`it prints ${text}`, async () => (await logOf(job)) === text);

describe("an update of a batch pod", () => {
  const volumeMounts = [
    { name: "v", mountPath: "/v" },
    { name: "v", mountPath: "/part", subPath: "key" },
  ];
  const watched = { containers: [shell("main", watching('"$1"/key "$2"'), { volumeMounts })] };

  test("reaches the files that a container sees, all at once, and no subPath mount", async () => {
    await using job = await BatchJob.start(podOf(watched, { key: "old", gone: "x" }));
    await printed(job, "[oldold]\n");
    const newer = podOf(watched, { key: "new", came: "y" });
    expect(await update(job.directory, newer)).toEqual({ code: 0, said: "" });
    await printed(job, "[oldold]\n[newold]\n");
    const volume = join(job.directory, "volumes/v");
    expect((await readdir(volume)).filter((name) => !name.startsWith(".."))).toEqual([
      "came",
      "key",
    ]);
    // Repeated, it touches nothing.
    const tree = await readlink(join(volume, "..data"));
    expect(await update(job.directory, newer)).toEqual({ code: 0, said: "" });
    expect(await readlink(join(volume, "..data"))).toBe(tree);
    // Forth and back: two trees are kept.
    for (const key of ["third", "old", "third", "last"]) {
      expect((await update(job.directory, podOf(watched, { key }))).code).toBe(0);
    }
    await eventually("it sees the last", async () =>
      (await job.log("main")).endsWith("[lastold]\n"),
    );
    const trees = (await readdir(volume)).filter((name) => /^\.\.(?!data$)/.test(name));
    expect(trees).toHaveLength(2);
    expect((await readdir(job.directory)).filter((name) => name.startsWith("update"))).toEqual([]);
  });

  test("that comes before the job begins is what it begins with", async () => {
    const spec = (image: string): Partial<PodSpec> => ({
      containers: [{ ...shell("main", 'cat "$1/key" "$2"', { volumeMounts }), image }],
    });
    const newer = podOf(spec("other"), { key: "new" });
    await using started = await BatchJob.start(podOf(spec("one"), { key: "old", gone: "x" }), {
      prepare: async (directory) => {
        expect(await update(directory, newer)).toEqual({ code: 0, said: "changed\n" });
      },
    });
    expect(await started.end()).toBe(0);
    expect(await started.log("main")).toBe("newnew");
    expect((await readRecords(started, newer)).containers[0]?.image).toBe("other");
    const left = await readdir(join(started.directory, "volumes/v"));
    expect(left.filter((name) => !name.startsWith(".."))).toEqual(["key"]);
  });

  test("that is killed at any moment leaves one version of the files or the other, and the next one mends all", async () => {
    const spec = { containers: [shell("main", "exec sleep 1000", { volumeMounts })] };
    const version = (number: number) =>
      podOf(spec, { key: `${number}`, other: `${number}`, [`only-${number}`]: "" });
    await using job = await BatchJob.start(version(0));
    await job.until("started main 0");
    const volume = join(job.directory, "volumes/v");
    const seen = async () => {
      const tree = await realpath(join(volume, "..data"));
      const files = ["key", "other"].map((name) => readFile(join(tree, name), "utf8"));
      return { tree, values: await Promise.all(files) };
    };
    for (let number = 1; number <= 12; number++) {
      const running = update(job.directory, version(number), undefined, number * 7);
      await running;
      const { tree, values } = await seen();
      expect(values[0]).toBe(values[1]);
      expect((await readdir(tree)).toSorted()).toEqual(
        ["key", "other", `only-${values[0]}`.trim()].toSorted(),
      );
    }
    expect((await update(job.directory, version(99))).code).toBe(0);
    expect((await seen()).values).toEqual(["99", "99"]);
    const names = await readdir(volume);
    expect(names.filter((name) => !name.startsWith(".."))).toEqual(["key", "only-99", "other"]);
    expect(names.filter((name) => /^\.\.(?!data$)/.test(name)).length).toBeLessThanOrEqual(2);
    expect((await readdir(job.directory)).filter((name) => name.startsWith("update"))).toEqual([]);
  });

  test("that was cut off changes nothing", async () => {
    await using job = await BatchJob.start(podOf(watched, { key: "old" }));
    await printed(job, "[oldold]\n");
    const { input } = encodeBatchUpdate(podOf(watched, { key: "new" }));
    const cut = input.subarray(0, input.length - "#end\n".length);
    expect(await update(job.directory, podOf(watched), cut)).toEqual({
      code: 1,
      said: "interlink: the pod's files could not be updated\n",
    });
    expect(await job.file("volumes/v/key")).toBe("old");
    expect((await readdir(job.directory)).filter((name) => name.startsWith("update"))).toEqual([]);
  });

  test("gives containers that start later the environment of now, and commands inside that of their container", async () => {
    const spec = (value: string): Partial<PodSpec> => ({
      restartPolicy: "Always",
      containers: [
        shell("main", "echo $VALUE; until [ -e go ]; do sleep 0.02; done; rm go; exit 1", {
          env: [{ name: "VALUE", value }],
        }),
      ],
    });
    await using job = await BatchJob.start(podOf(spec("old"), {}, bareRuntime));
    const log = (attempt: number, text: string) =>
      eventually(
        `attempt ${attempt} says ${text}`,
        async () => (await logOf(job, attempt)) === text,
      );
    await log(0, "old\n");
    expect(await update(job.directory, podOf(spec("new"), {}, bareRuntime))).toEqual({
      code: 0,
      said: "changed\n",
    });
    job.child.kill("SIGURG");
    const exec = spawn(
      "bash",
      ["-p", batchScriptPath(), job.directory, "exec", "main", "sh", "-c", "echo $VALUE; touch go"],
      { cwd: join(job.directory, ".."), stdio: ["ignore", "pipe", "inherit"] },
    );
    let said = "";
    exec.stdout.on("data", (chunk: Buffer) => {
      said += chunk.toString();
    });
    await once(exec, "close");
    expect(said).toBe("old\n");
    await log(1, "new\n");
  });

  test("of an image starts its container anew, at once and whatever its policy is", async () => {
    const spec = (image: string): Partial<PodSpec> => ({
      terminationGracePeriodSeconds: 1,
      containers: [
        { ...shell("main", "exec sleep 1000"), image },
        { ...shell("other", "exec sleep 1000"), image: "same" },
      ],
    });
    await using job = await BatchJob.start(podOf(spec("one")));
    await job.until("started main 0");
    const newer = podOf(spec("two"));
    expect((await update(job.directory, newer)).said).toBe("changed\n");
    job.child.kill("SIGURG");
    await job.until("stopping main 0 changed");
    await job.until("started main 1");
    const { containers, events = [] } = await readRecords(job, newer);
    expect(containers[0]).toMatchObject({ image: "two", restartCount: 1 });
    expect(containers[0]?.state?.running).toBeDefined();
    expect(containers[1]).toMatchObject({ restartCount: 0 });
    expect(events.map(({ message }) => message)).toContain(
      "Container main definition changed, will be restarted",
    );
  });

  test("starts an ephemeral container once, which its pod does not wait for", async () => {
    const spec = (more: Partial<PodSpec> = {}): Partial<PodSpec> => ({
      restartPolicy: "Always",
      containers: [shell("main", "exec sleep 1000")],
      ...more,
    });
    const debug = (name: string, script: string, more: object = {}) => ({
      ...shell(name, script),
      volumeMounts: [{ name: "v", mountPath: "/v" }],
      ...more,
    });
    await using job = await BatchJob.start(podOf(spec()));
    await job.until("started main 0");
    const newer = podOf(
      spec({
        ephemeralContainers: [
          debug("looks", 'cat "$1/key"; exit 9', { targetContainerName: "main" }),
          debug("waits", "true", { targetContainerName: "none" }),
        ],
      }),
      { key: "of the volume" },
    );
    expect(await update(job.directory, newer)).toEqual({ code: 0, said: "changed\n" });
    job.child.kill("SIGURG");
    await job.until("exited looks 0 9");
    await job.until("problem waits CreateContainerConfigError");
    expect(await job.log("looks")).toBe("of the volume");
    const { ephemeralContainers = [], containers } = await readRecords(job, newer);
    expect(ephemeralContainers[0]?.state?.terminated).toMatchObject({ exitCode: 9 });
    expect(ephemeralContainers[1]?.state?.waiting?.message).toBe(
      "unable to find target container none",
    );
    expect(containers[0]?.state?.running).toBeDefined();
    job.terminate();
    await job.end();
    expect((await job.lines()).filter((line) => line.startsWith("created looks"))).toHaveLength(1);
  });

  test("starts an ephemeral container while an init container is at work", async () => {
    const spec = (more: Partial<PodSpec> = {}): Partial<PodSpec> => ({
      initContainers: [shell("init", "until [ -e go ]; do sleep 0.02; done")],
      containers: [shell("main", "exit 3")],
      ...more,
    });
    await using job = await BatchJob.start(podOf(spec()));
    await job.until("started init 0");
    const ephemeralContainers = [shell("early", "touch go; exec sleep 1000")];
    expect((await update(job.directory, podOf(spec({ ephemeralContainers })))).code).toBe(0);
    job.child.kill("SIGURG");
    expect(await job.end()).toBe(3);
    const lines = await job.lines();
    const at = (start: string) => lines.findIndex((line) => line.startsWith(start));
    expect(at("started early 0")).toBeLessThan(at("exited init 0 0"));
    expect(at("exited early 0")).toBeGreaterThan(at("exited main 0 3"));
  });
});
