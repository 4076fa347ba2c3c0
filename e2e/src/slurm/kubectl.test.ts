import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type PodOptions, podManifest } from "../harness/manifest.ts";
import { System } from "../harness/system.ts";
import { describeSlurmSite } from "../systems/describe-system.ts";
import { waitUntil } from "../systems/wait-until.ts";
import { makeDockerArchive } from "./docker-archive.ts";
import { SlurmPlugin } from "./slurm-plugin.ts";

describeSlurmSite("a person with kubectl and a Slurm behind the virtual node", (site) => {
  const image = site.apptainer.image;
  let plugin: SlurmPlugin;
  let system: System;

  beforeAll(async () => {
    plugin = new SlurmPlugin(site, { HostPaths: [site.slurm.user.home] });
    await plugin.start();
    system = await System.start({ plugin: { name: "given", address: plugin.address } });
  });
  afterAll(async () => {
    await system?.[Symbol.asyncDispose]();
    await plugin[Symbol.asyncDispose]();
  });

  const kubectl = (...args: string[]) => system.kubectl.run(args);
  const apply = (
    name: string,
    options: PodOptions = {},
    annotations: Record<string, string> = {},
  ) => {
    const pod = JSON.parse(podManifest(name, { image, ...options })) as {
      metadata: Record<string, unknown>;
    };
    Object.assign(pod.metadata, { annotations });
    return system.kubectl.run(["apply", "-f", "-"], { input: JSON.stringify(pod) });
  };
  const state = async (name: string) =>
    (await system.pod(name))?.status?.containerStatuses?.[0]?.state;
  /** With a folder that the test reads, at /shared. */
  const withShared = (command: string): PodOptions => ({
    command,
    spec: { volumes: [{ name: "shared", hostPath: { path: plugin.user.folder } }] },
    container: { volumeMounts: [{ name: "shared", mountPath: "/shared" }] },
  });

  test("runs a pod as a job of the ordinary user, and sees its log and its end", async () => {
    await apply("plain", { command: "id -u; echo done" });
    const pod = await system.podInPhase("plain", "Succeeded");
    expect(await kubectl("logs", "plain")).toBe(`${site.slurm.user.uid}\ndone\n`);
    const [job = "", ...more] = await plugin.jobsOf(pod.metadata?.uid ?? "");
    expect(more).toEqual([]);
    // The pod's end is told by the job's own record; Slurm itself may hear of it a moment later.
    await plugin.user.jobIn(job, "COMPLETED");
    await kubectl("delete", "pod", "plain");
  });

  test("sees init containers run in order, and the exit code of each container", async () => {
    const container = (name: string, command: string) => ({
      name,
      image,
      imagePullPolicy: "IfNotPresent",
      command: ["sh", "-c", command],
      volumeMounts: [{ name: "work", mountPath: "/work" }],
    });
    await apply("several", {
      spec: {
        volumes: [{ name: "work", emptyDir: {} }],
        initContainers: [
          container("first", "sleep 0.3; echo first >> /work/order"),
          container("second", "echo second >> /work/order"),
        ],
        containers: [container("main", "cat /work/order; exit 3"), container("side", "exit 0")],
      },
    });
    const pod = await system.podInPhase("several", "Failed");
    const ended = (pod.status?.containerStatuses ?? []).map(
      ({ name, state: { terminated } = {} }) => [name, terminated?.exitCode, terminated?.reason],
    );
    expect(ended).toEqual([
      ["main", 3, "Error"],
      ["side", 0, "Completed"],
    ]);
    expect(await kubectl("logs", "several", "-c", "main")).toBe("first\nsecond\n");
    await kubectl("delete", "pod", "several");
  });

  test("follows a log from the first line to the end", async () => {
    await apply("told", { command: "for i in 1 2 3 4; do echo line $i; sleep 0.4; done" });
    await system.podInPhase("told", ["Running", "Succeeded"]);
    expect(await kubectl("logs", "-f", "told")).toBe("line 1\nline 2\nline 3\nline 4\n");
    await kubectl("delete", "pod", "told");
  });

  test("sees why a pod waits in Slurm's words, and a pod deleted while it waits never starts", async () => {
    await apply("waits", withShared("touch /shared/started"), {
      "slurm-job.vk.io/flags": "--begin=now+1hour",
    });
    const waiting = await waitUntil("it waits", async () => {
      const seen = (await state("waits"))?.waiting;
      return seen?.message?.includes("BeginTime") === true ? seen : undefined;
    });
    expect(waiting.message).toMatch(/Slurm job \d+/);
    const uid = (await system.pod("waits"))?.metadata?.uid ?? "";
    await kubectl("delete", "pod", "waits", "--timeout=30s");
    const [job = "", ...more] = await plugin.jobsOf(uid);
    expect(more).toEqual([]);
    expect(await plugin.user.show(job)).toMatchObject({
      JobState: "CANCELLED",
      RunTime: "00:00:00",
    });
    expect(existsSync(join(plugin.user.folder, "started"))).toBe(false);
  });

  test("sees sbatch's own words when Slurm refuses a pod", async () => {
    await apply("refused", {}, { "slurm-job.vk.io/flags": "--partition=nosuch" });
    const pod = await system.podInPhase("refused", "Failed");
    expect(pod.status?.message).toContain("invalid partition specified: nosuch");
    await kubectl("delete", "pod", "refused");
  });

  test("sees a pulled image's own directory, and what is written to /dev/termination-log", async () => {
    const archive = join(plugin.user.folder, "image.tar");
    await makeDockerArchive(archive, image, { WorkingDir: "/var" });
    await apply("pulled", {
      command: "pwd; echo why >/dev/termination-log; exit 3",
      container: { image: `docker-archive://${archive}` },
    });
    const pod = await system.podInPhase("pulled", "Failed", 60_000);
    expect(await kubectl("logs", "pulled")).toBe("/var\n");
    expect(pod.status?.containerStatuses?.[0]?.state?.terminated).toMatchObject({
      exitCode: 3,
      message: "why\n",
    });
    await kubectl("delete", "pod", "pulled");
  });

  test("deletes a pod that runs: it is asked to end once, and ends in its own way", async () => {
    const command = `trap 'echo bye >> /shared/bye; asked=1' TERM; echo up; until [ -n "$asked" ]; do sleep 0.1; done; sleep 1`;
    await apply("polite", withShared(command));
    await system.podInPhase("polite", "Running");
    await waitUntil("it is up", async () => (await kubectl("logs", "polite")) === "up\n");
    const processes = await kubectl("exec", "polite", "--", "ps", "-o", "pid,args");
    expect(processes).toMatch(/^ +1 \S*sh -c trap/m);
    const uid = (await system.pod("polite"))?.metadata?.uid ?? "";
    await kubectl("delete", "pod", "polite", "--grace-period=20", "--timeout=40s");
    expect(readFileSync(join(plugin.user.folder, "bye"), "utf8")).toBe("bye\n");
    const [job = ""] = await plugin.jobsOf(uid);
    expect((await plugin.user.show(job))["JobState"]).not.toBe("RUNNING");
  });

  test.skipIf(!site.slurm.holdsMemory)("sees that a container ran out of memory", async () => {
    await apply("greedy", {
      command: "exec tail -c 190m /dev/zero",
      container: { resources: { limits: { memory: "64Mi" } } },
    });
    const pod = await system.podInPhase("greedy", "Failed");
    expect(pod.status?.containerStatuses?.[0]?.state?.terminated).toMatchObject({
      exitCode: 137,
      reason: "OOMKilled",
    });
    await kubectl("delete", "pod", "greedy");
  });

  test("does not notice that the plugin is killed while its pod runs", async () => {
    await apply("survivor", withShared("echo ran >> /shared/survivor; sleep 3; echo end"));
    await system.podInPhase("survivor", "Running");
    await plugin.kill9();
    await plugin.start();
    await system.podInPhase("survivor", "Succeeded");
    expect(readFileSync(join(plugin.user.folder, "survivor"), "utf8")).toBe("ran\n");
    await kubectl("delete", "pod", "survivor");
  });

  test.each(["create.intent-written", "create.container-started", "create.recorded"])(
    "gets one job and no more for a pod whose plugin was killed at %s",
    async (step) => {
      const name = step.replace(".", "-");
      await plugin.kill9();
      await plugin.start(step);
      await apply(name, withShared(`echo ran >> /shared/${name}; sleep 1`));
      await plugin.died();
      await plugin.start();
      const pod = await system.podInPhase(name, "Succeeded", 60_000);
      expect(readFileSync(join(plugin.user.folder, name), "utf8")).toBe("ran\n");
      expect(await plugin.jobsOf(pod.metadata?.uid ?? "")).toHaveLength(1);
      await kubectl("delete", "pod", name);
    },
  );
});
