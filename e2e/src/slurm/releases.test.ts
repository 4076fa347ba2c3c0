import { afterAll, beforeAll, expect, test } from "vitest";
import { describeSlurmReleases } from "../systems/describe-system.ts";
import { publicFolder } from "../systems/public-folder.ts";
import { SlurmDaemons } from "../systems/slurm-daemons.ts";
import { waitUntil } from "../systems/wait-until.ts";
import { SiteProvider } from "./site-provider.ts";

describeSlurmReleases("the Slurm plugin on a newer Slurm", (release, shared) => {
  const { user } = shared.slurm;
  let daemons: SlurmDaemons;
  let site: SiteProvider;

  beforeAll(async () => {
    const [major = ""] = release.version.split(".");
    const name = `v${major}x${process.pid}`;
    daemons = new SlurmDaemons(publicFolder(`slurm-${name}`), name, { release: release.folder });
    await daemons.start();
    site = new SiteProvider({
      conf: daemons.conf,
      apptainer: shared.apptainer,
      user,
      program: (program) => daemons.program(program),
    });
    await site.start();
  });
  afterAll(async () => {
    await site?.[Symbol.asyncDispose]();
    await daemons?.destroy();
  });

  const flags = (text: string) => ({ annotations: { "slurm-job.vk.io/flags": text } });

  test("runs pods, tells why they wait and how they end, and deletes them", async () => {
    expect(await daemons.command("sinfo", "--version")).toContain(release.version);
    const [ends, runs, waits, fails] = await Promise.all([
      site.create("echo told; id -u; exit 3"),
      site.create("echo up; sleep 1000"),
      site.create("echo never", flags("--begin=now+1hour")),
      site.create("sleep 1000"),
    ]);
    expect(await site.until(ends, "terminated")).toMatchObject({ exitCode: 3, reason: "Error" });
    expect(await site.log(ends)).toBe(`told\n${user.uid}\n`);
    await waitUntil("Slurm has told why it waits", async () => {
      const status = await site.status(waits);
      return status?.containers[0]?.state?.waiting?.message?.includes("BeginTime") === true;
    });
    await expect(site.create("true", flags("--partition=nosuch"))).rejects.toThrow(
      /invalid partition/i,
    );
    expect(await site.provider.ping?.(new AbortController().signal)).toMatchObject({
      resources: { cpu: "64", memory: "64000Mi" },
      taints: [{ key: "slurm.interlink.eu/closed-drained", effect: "PreferNoSchedule" }],
    });

    await site.until(fails, "running");
    await site.until(runs, "running");
    const [waiting, running, failing] = await Promise.all(
      [waits, runs, fails].map((pod) => site.job(pod)),
    );
    await daemons.command("scancel", failing ?? "");
    expect(await site.failed(fails)).toMatchObject({ reason: "Cancelled" });
    await Promise.all([ends, runs, waits, fails].map((pod) => site.delete(pod)));
    for (const job of [waiting, running]) {
      const shown = await daemons.command("scontrol", "show", "job", job ?? "");
      expect(shown).toMatch(/ JobState=(CANCELLED|COMPLETED|FAILED|COMPLETING) /);
    }
    expect(await daemons.command("scontrol", "show", "job", waiting ?? "")).toContain(
      "RunTime=00:00:00",
    );
  });
});
