import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { describeSlurm, describeSlurmSite } from "../systems/describe-system.ts";
import { UserCommands } from "./user-commands.ts";

describeSlurm("the Slurm that tests use", (slurm) => {
  let user: UserCommands;
  beforeAll(() => {
    user = new UserCommands(slurm);
  });
  afterAll(() => user[Symbol.dispose]());

  const output = (job: string): string => readFileSync(join(user.folder, `${job}.out`), "utf8");

  test("runs jobs of an ordinary user, and tells their exit codes", async () => {
    const job = await user.submit("id --user; exit 3");
    expect(await user.jobIn(job, "FAILED")).toMatchObject({ ExitCode: "3:0" });
    expect(output(job)).toBe(`${slurm.user.uid}\n`);
  });

  test("never starts a job that is cancelled while it is pending", async () => {
    const job = await user.submit("touch started", "--hold");
    expect(await user.jobIn(job, "PENDING")).toMatchObject({ Reason: "JobHeldUser" });
    await user.run("scancel", job);
    expect(await user.jobIn(job, "CANCELLED")).toMatchObject({ RunTime: "00:00:00" });
    expect(existsSync(join(user.folder, "started"))).toBe(false);
  });

  test("runs more jobs at once than the machine has cores", async () => {
    const jobs = await Promise.all(Array.from({ length: 12 }, () => user.submit("sleep 1000")));
    await Promise.all(jobs.map((job) => user.jobIn(job, "RUNNING")));
    await user.run("scancel", ...jobs);
    await Promise.all(jobs.map((job) => user.jobIn(job, "CANCELLED")));
  });

  test.skipIf(!slurm.holdsMemory)("tells that a job ran out of memory", async () => {
    const job = await user.submit("head -c 200M /dev/zero | tail -c 190M | wc -c; sleep 1");
    await user.jobIn(job, "OUT_OF_MEMORY");
  });
});

describeSlurmSite("the Apptainer that tests use", ({ slurm, apptainer }) => {
  let user: UserCommands;
  beforeAll(() => {
    user = new UserCommands(slurm);
  });
  afterAll(() => user[Symbol.dispose]());

  test("runs a directory as an ordinary user in a job", async () => {
    const exec = `${apptainer.path} exec --containall ${apptainer.image}`;
    const job = await user.submit(`${exec} sh -c 'ls /bin/busybox; id -u'; exit $?`);
    await user.jobIn(job, "COMPLETED");
    const printed = readFileSync(join(user.folder, `${job}.out`), "utf8");
    expect(printed).toContain(`/bin/busybox\n${slurm.user.uid}\n`);
  });

  test("makes an image file of it, and runs that", async () => {
    const file = join(user.folder, "busybox.sif");
    await user.run(apptainer.path, "build", file, apptainer.image);
    expect(await user.run(apptainer.path, "exec", "--containall", file, "echo", "in")).toBe("in\n");
  });
});
