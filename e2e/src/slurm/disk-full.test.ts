import { chmodSync, existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { RetrievedPodData } from "@interlink/protocol";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { describeSlurmSite } from "../systems/describe-system.ts";
import { fillDisk } from "../systems/small-disk.ts";
import { waitUntil } from "../systems/wait-until.ts";
import { SiteProvider } from "./site-provider.ts";
import { UserCommands } from "./user-commands.ts";

describeSlurmSite("a full disk under the Slurm plugin's directory", ({ slurm, apptainer }) => {
  const signal = new AbortController().signal;
  let site: SiteProvider;
  let user: UserCommands;
  /** What pods and the test tell each other; seen in containers as /told. */
  let told: string;
  let release: () => Promise<void> = async () => {};

  beforeAll(async () => {
    user = new UserCommands(slurm);
    site = new SiteProvider({
      conf: slurm.conf,
      apptainer,
      user: slurm.user,
      rootSize: "4m,nr_inodes=900",
      rootName: "a root",
    });
    told = join(user.folder, "told");
    mkdirSync(told);
    chmodSync(told, 0o777);
    await site.start({ HostPaths: [user.folder] });
  });
  afterEach(() => release());
  afterAll(async () => {
    await release();
    await site?.[Symbol.asyncDispose]();
    user?.[Symbol.dispose]();
  });

  const pod = (command: string): RetrievedPodData =>
    site.pod(command, {
      spec: { volumes: [{ name: "told", hostPath: { path: told } }] },
      container: { volumeMounts: [{ name: "told", mountPath: "/told" }] },
    });
  const create = async (data: RetrievedPodData): Promise<RetrievedPodData> => {
    await site.provider.create(data, signal);
    return data;
  };
  const refusal = (running: Promise<unknown>): Promise<unknown> =>
    running.then(
      () => undefined,
      (error: unknown) => error,
    );
  const fill = async (leave = 0): Promise<void> => {
    release = await fillDisk(site.root, leave);
  };
  const say = (word: string): void => writeFileSync(join(told, word), "");
  /** Ids of all jobs of the pod that Slurm knows. */
  const jobsOf = async ({ pod: { metadata } }: RetrievedPodData): Promise<string[]> => {
    const jobs = await user.run("squeue", "--noheader", "--states=all", "--format=%i %k");
    return jobs.split("\n").filter((line) => line.includes(metadata?.uid ?? "-"));
  };

  test.each([
    ["what was asked", 0, /cannot write its records: .*no space left on device/i],
    // Enough for the plugin's own record, not for the job's files.
    ["what the job reads", 40_000, /cannot write the pod's files: .*no space left on device/i],
  ])(
    "refuses a pod for now when %s cannot be written, leaves no job, and runs it once there is space",
    async (_, leave, message) => {
      const before = await create(pod("sleep 1000"));
      await site.until(before, "running");
      await fill(leave);
      const late = pod("echo ran; exit 0");
      expect(await refusal(site.provider.create(late, signal))).toMatchObject({
        code: "unavailable",
        message: expect.stringMatching(message),
      });
      expect(await jobsOf(late)).toEqual([]);
      expect((await site.status(before))?.containers[0]?.state).toHaveProperty("running");
      await release();
      await create(late);
      expect(await site.until(late, "terminated")).toMatchObject({ exitCode: 0 });
      expect(await site.log(late)).toBe("ran\n");
      expect(await jobsOf(late)).toHaveLength(1);
      await site.delete(late);
      await site.delete(before);
    },
  );

  test("keeps the exit code of a pod that ends while nothing can be written, and the end of its log is missing", async () => {
    const data = await create(
      pod(
        "echo begin; until [ -e /told/end ]; do sleep 0.1; done; echo lost; : >/told/over; exit 7",
      ),
    );
    await site.until(data, "running");
    await waitUntil("it has begun", async () => (await site.log(data)) === "begin\n");
    await fill();
    say("end");
    await waitUntil("it has ended", () => existsSync(join(told, "over")));
    expect((await site.status(data))?.containers[0]?.state?.terminated?.exitCode ?? 7).toBe(7);
    await release();
    expect(await site.until(data, "terminated")).toMatchObject({ exitCode: 7, reason: "Error" });
    expect(await site.log(data)).toMatch(/^begin\n/);
    await site.delete(data);
  });

  test("says what is wrong when a job cannot begin, as its node can write nothing", async () => {
    const data = await site.create("echo never", {
      annotations: { "slurm-job.vk.io/flags": "--begin=now+1hour" },
    });
    const job = await site.job(data);
    const many = join(site.root, "many");
    mkdirSync(many);
    release = async () => rmSync(many, { recursive: true, force: true });
    expect(() => {
      for (let at = 0; at < 10_000; at++) writeFileSync(join(many, String(at)), "");
    }).toThrow(/no space left/i);
    await user.run("scontrol", "update", `JobId=${job}`, "StartTime=now");
    const { reason, message } = await site.failed(data);
    expect([reason, message]).toEqual([
      "SlurmJobFailed",
      expect.stringMatching(/^Slurm job \d+ could not begin.* no space/),
    ]);
    await release();
    await site.delete(data);
  });

  test("deletes a pod, which makes space", async () => {
    const data = await create(pod("sleep 1000"));
    await site.until(data, "running");
    const job = await site.job(data);
    await fill();
    // It may say that it could not be written down; it is carried out nevertheless.
    await refusal(site.provider.delete(data.pod, signal));
    await user.jobIn(job, "CANCELLED", "COMPLETED", "FAILED");
    await waitUntil("its files are gone", () => {
      return !readdirSync(join(site.root, "pods")).includes(data.pod.metadata?.uid ?? "");
    });
    await site.delete(data);
    expect(await refusal(site.provider.create(data, signal))).toMatchObject({ code: "conflict" });
  });
});
