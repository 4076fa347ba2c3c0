import { chmodSync, existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import type { RetrievedPodData } from "@interlink/protocol";
import { afterAll, beforeAll, expect, test } from "vitest";
import { describeSlurmWithAccounting } from "../systems/describe-system.ts";
import { asUser, type OrdinaryUser, ordinaryUser } from "../systems/ordinary-user.ts";
import { runProgram } from "../systems/programs.ts";
import { publicFolder } from "../systems/public-folder.ts";
import { SlurmDaemons } from "../systems/slurm-daemons.ts";
import { waitUntil } from "../systems/wait-until.ts";
import { SiteProvider, type SiteProviderOptions, writeProgram } from "./site-provider.ts";

/** How jobs end here, as Slurm tells it. */
const ENDS = {
  own: "FAILED",
  cancelled: "CANCELLED",
  late: "TIMEOUT",
  lost: "NODE_FAIL",
  preempted: "PREEMPTED",
  greedy: "OUT_OF_MEMORY",
};
type End = keyof typeof ENDS;

describeSlurmWithAccounting("a Slurm with accounting and nodes", (shared) => {
  const { user, holdsMemory } = shared.slurm;
  let daemons: SlurmDaemons;
  let options: SiteProviderOptions;
  /** Its pods end while the plugin is away. */
  let away: SiteProvider;
  const ended: { name: End; pod: RetrievedPodData; job: string }[] = [];
  let site: SiteProvider;
  let other: OrdinaryUser;
  let shims: string;

  beforeAll(async () => {
    daemons = new SlurmDaemons(publicFolder(`slurm-acct-${process.pid}`), `acct${process.pid}`, {
      accounting: true,
      nodes: 3,
    });
    await daemons.start();
    other = await ordinaryUser("interlink-e2e-2");
    options = { conf: daemons.conf, apptainer: shared.apptainer, user };
    away = new SiteProvider(options);
    await away.start();
    await endAllKindsOfJobs();
    site = new SiteProvider(options);
    shims = join(site.folder, "bin");
    mkdirSync(shims);
    await site.start({
      AllowedUIDs: [String(user.uid), String(other.uid)],
      Requeue: true,
      HostPaths: [site.folder],
      CommandPrefix: `PATH=${shims}:$PATH`,
    });
  });
  afterAll(async () => {
    for (const one of [away, site]) await one?.[Symbol.asyncDispose]();
    await daemons?.destroy();
  });

  const flags = (text: string) => ({ annotations: { "slurm-job.vk.io/flags": text } });
  const show = (job: string) => daemons.command("scontrol", "--oneliner", "show", "job", job);
  const inState = (job: string, state: string) =>
    waitUntil(
      `job ${job} is ${state}`,
      async () => (await show(job)).includes(` JobState=${state} `),
      90_000,
    );

  /** Then stops the plugin, and brings about the end of each. A time limit is looked at twice a minute. */
  async function endAllKindsOfJobs(): Promise<void> {
    const [, second = "", third = ""] = daemons.nodeNames;
    const whole = `--nodelist=${third} --cpus-per-task=64`;
    const sleep = "sleep 1000";
    const pods: Partial<Record<End, RetrievedPodData>> = {
      own: await away.create("sleep 2; exit 5"),
      cancelled: await away.create(sleep),
      late: await away.create(sleep, flags("--time=1")),
      lost: await away.create(sleep, flags(`--nodelist=${second}`)),
      preempted: await away.create(sleep, flags(`--partition=low ${whole}`)),
    };
    if (holdsMemory) {
      const resources = { limits: { memory: "64Mi" } };
      const command = "sleep 2; exec tail -c 190m /dev/zero";
      pods.greedy = await away.create(command, { container: { resources } });
    }
    const jobs = new Map<string, string>();
    for (const [name, pod] of Object.entries(pods)) {
      await waitUntil(`${name} has begun`, async () => {
        const { running, terminated } = (await away.status(pod))?.containers[0]?.state ?? {};
        return Boolean(running ?? terminated);
      });
      const job = await away.job(pod);
      jobs.set(name, job);
      ended.push({ name: name as End, pod, job });
    }
    await away.close();
    const update = (...words: string[]) => daemons.command("scontrol", "update", ...words);
    await update(`JobId=${jobs.get("late")}`, "EndTime=now");
    await daemons.command("scancel", jobs.get("cancelled") ?? "");
    await daemons.stopDaemon("slurmd-2");
    await update(`NodeName=${second}`, "State=DOWN", "Reason=test");
    const urgent = ["--partition=urgent", ...whole.split(" "), "--output=/dev/null"];
    await daemons.command("sbatch", ...urgent, "--wrap=sleep 1");
  }

  test("runs a pod as the user that it names, if the site allows that one", async () => {
    const { uid, gid } = other;
    const theirs = await site.create("id -u; id -g; sleep 1000", {
      spec: { securityContext: { runAsUser: uid } },
    });
    await site.until(theirs, "running");
    await waitUntil("it has told", async () => (await site.log(theirs)) === `${uid}\n${gid}\n`);
    expect(await show(await site.job(theirs))).toMatch(
      new RegExp(`UserId=[^ (]*\\(${uid}\\) GroupId=[^ (]*\\(${gid}\\)`),
    );
    const told = ["--noheader", "--allocations", "--parsable2", "--format=User,Group"];
    const job = await site.job(theirs);
    await waitUntil("accounting knows whose it is", async () => {
      const accounted = await daemons.command("sacct", ...told, `--jobs=${job}`);
      if (accounted !== `${other.name}|${other.name}\n`) throw new Error(`${job}: ${accounted}`);
      return true;
    });

    const directory = join(site.root, "pods", theirs.pod.metadata?.uid ?? "");
    const reads = (who: OrdinaryUser) => {
      const [program = "", ...words] = asUser(who, {}, ["ls", directory]);
      return runProgram(program, words);
    };
    expect((await reads(other)).toString()).toContain("job.sh");
    await expect(reads(user)).rejects.toThrow("Permission denied");

    const stranger = site.create("true", { spec: { securityContext: { runAsUser: 65534 } } });
    await expect(stranger).rejects.toThrow(/65534/);
    await expect(
      site.create("true", { spec: { securityContext: { runAsUser: 0 } } }),
    ).rejects.toThrow(/user 0, which this site does not allow/);
    await daemons.command("scancel", job);
    expect((await site.failed(theirs)).message).toContain("by user 0");
    await site.delete(theirs);
  });

  test("starts the processes of MPI on several nodes", async () => {
    // A site's own; that of this test hands over to Slurm, as those of Open MPI and Intel do.
    const launcher = `#!/bin/sh\n[ "$1" = -np ] || exit 9\nn=$2\nshift 2\nexec srun --label --ntasks="$n" "$@"\n`;
    writeProgram(join(shims, "mpiexec"), launcher);
    const many = await site.create("echo here", {
      annotations: {
        "slurm-job.vk.io/flags": "--nodes=2 --ntasks-per-node=2",
        "slurm-job.vk.io/mpi-flags": "true",
      },
    });
    expect(await site.until(many, "terminated")).toMatchObject({ exitCode: 0 });
    const lines = (await site.log(many)).trim().split("\n").toSorted();
    expect(lines).toEqual(["0: here", "1: here", "2: here", "3: here"]);
    expect(await show(await site.job(many))).toMatch(/ NumNodes=2 /);
    await site.delete(many);
  });

  test("runs a job again that Slurm has put back into its queue, and tells that it waits", async () => {
    const data = join(site.folder, "requeued");
    mkdirSync(data);
    chmodSync(data, 0o777);
    const again = await site.create("test -e /data/once && exit 4; touch /data/once; sleep 1000", {
      spec: { volumes: [{ name: "data", hostPath: { path: data } }] },
      container: { volumeMounts: [{ name: "data", mountPath: "/data" }] },
    });
    await waitUntil("it runs", () => existsSync(join(data, "once")));
    await site.until(again, "running");
    const job = await site.job(again);
    await daemons.command("scontrol", "requeue", job);
    const waits = await site.until(again, "waiting");
    expect(waits.message).toMatch(new RegExp(`^Slurm job ${job} `));
    // It would wait for two minutes.
    await inState(job, "PENDING");
    await daemons.command("scontrol", "update", `JobId=${job}`, "StartTime=now");
    expect(await site.until(again, "terminated", 60_000)).toMatchObject({ exitCode: 4 });
    expect(await site.job(again)).toBe(job);
    await site.delete(again);
  });

  test("tells from accounting how jobs ended that slurmctld has forgotten", async () => {
    for (const { name, job } of ended) await inState(job, ENDS[name]);
    const ids = ended.map(({ job }) => job);
    const words = ["--noheader", "--allocations", "--parsable2", "--format=State"];
    await waitUntil("accounting knows all ends", async () => {
      const told = await daemons.command("sacct", ...words, `--jobs=${ids.join(",")}`);
      const states = told.trim().split("\n");
      return states.length === ids.length && !/RUNNING|PENDING/.test(told);
    });
    await daemons.stopDaemon("slurmctld");
    daemons.forgetJobs();
    // Whole again, or it would be made anew.
    for (const name of ["slurmctld", "slurmd-2"] as const) await daemons.startDaemon(name);
    await daemons.start();
    await away.start();
    const pod = (wanted: End): RetrievedPodData => {
      const found = ended.find(({ name }) => name === wanted);
      if (found === undefined) throw new Error(`there is no pod ${wanted}`);
      return found.pod;
    };
    expect(await away.until(pod("own"), "terminated")).toMatchObject({ exitCode: 5 });
    const failed = {
      cancelled: { reason: "Cancelled", message: expect.stringContaining("by user 0") },
      late: { reason: "DeadlineExceeded" },
      lost: { reason: "NodeLost" },
      preempted: { reason: "Preempted" },
    };
    for (const [name, told] of Object.entries(failed)) {
      expect(await away.failed(pod(name as End))).toMatchObject(told);
    }
    if (holdsMemory) {
      const greedy = await away.until(pod("greedy"), "terminated");
      expect(greedy).toMatchObject({ reason: "OOMKilled", exitCode: 137 });
    }
    await Promise.all(ended.map((one) => away.delete(one.pod)));
  });
});
