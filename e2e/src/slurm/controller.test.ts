import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { podManifest } from "../harness/manifest.ts";
import { System } from "../harness/system.ts";
import { describeSlurmSite, type SlurmSite } from "../systems/describe-system.ts";
import { publicFolder } from "../systems/public-folder.ts";
import { SlurmDaemons } from "../systems/slurm-daemons.ts";
import { slurmSystem } from "../systems/slurm-system.ts";
import { waitUntil } from "../systems/wait-until.ts";
import { SlurmPlugin } from "./slurm-plugin.ts";

describeSlurmSite("a Slurm that fails for a while", (shared) => {
  let daemons: SlurmDaemons;
  let site: SlurmSite;
  let plugin: SlurmPlugin;
  let system: System;

  beforeAll(async () => {
    // Its own, as others need theirs to run.
    daemons = new SlurmDaemons(publicFolder(`slurm-${process.pid}`), `own${process.pid}`);
    await daemons.start();
    site = { ...shared, slurm: await slurmSystem(daemons) };
    const settings = { CommandSeconds: 6, HostPaths: [shared.slurm.user.home] };
    plugin = new SlurmPlugin(site, settings);
    await plugin.start();
    system = await System.start({ plugin: { name: "given", address: plugin.address } });
  });
  afterAll(async () => {
    await system?.[Symbol.asyncDispose]();
    await plugin?.[Symbol.asyncDispose]();
    await daemons?.destroy();
  });

  const apply = async (name: string, command: string) => {
    const input = podManifest(name, { image: site.apptainer.image, command });
    await system.kubectl.run(["apply", "-f", "-"], { input });
  };

  test("loses no pod while slurmctld is away, and tells the end of one that ended meanwhile", async () => {
    await apply("through", "echo begin; sleep 4; echo end; exit 7");
    await system.podInPhase("through", "Running");
    const before = (await system.pod("through"))?.status?.containerStatuses?.[0];
    await daemons.stopDaemon("slurmctld");
    await waitUntil("the plugin has noticed", () => plugin.log.includes("did not answer"), 60_000);
    expect((await system.pod("through"))?.status?.phase).not.toBe("Pending");
    await daemons.startDaemon("slurmctld");
    const pod = await system.podInPhase("through", "Failed", 60_000);
    const after = pod.status?.containerStatuses?.[0];
    expect(after?.state?.terminated).toMatchObject({ exitCode: 7 });
    expect(after?.containerID).toBe(before?.containerID);
    expect(await system.kubectl.run(["logs", "through"])).toBe("begin\nend\n");
    expect(await plugin.jobsOf(pod.metadata?.uid ?? "")).toHaveLength(1);
    await system.kubectl.run(["delete", "pod", "through"]);
  });

  test("runs a pod once that came while slurmctld was away", async () => {
    await daemons.stopDaemon("slurmctld");
    await apply("late", "echo ran");
    await waitUntil("the pod waits", async () => (await system.pod("late")) !== undefined);
    await daemons.startDaemon("slurmctld");
    const pod = await system.podInPhase("late", "Succeeded", 90_000);
    expect(await system.kubectl.run(["logs", "late"])).toBe("ran\n");
    expect(await plugin.jobsOf(pod.metadata?.uid ?? "")).toHaveLength(1);
    await system.kubectl.run(["delete", "pod", "late"]);
  });

  test("runs a pod once whose submission slurmctld takes when nobody waits for it any more", async () => {
    daemons.signalDaemon("slurmctld", "SIGSTOP");
    try {
      const input = podManifest("slow", {
        image: site.apptainer.image,
        command: "echo ran >>/shared/slow",
        spec: { volumes: [{ name: "shared", hostPath: { path: plugin.user.folder } }] },
        container: { volumeMounts: [{ name: "shared", mountPath: "/shared" }] },
      });
      await system.kubectl.run(["apply", "-f", "-"], { input });
      await waitUntil("sbatch was given up", () => plugin.log.includes("sbatch did not answer"));
      expect((await system.pod("slow"))?.status?.phase).toBe("Pending");
    } finally {
      daemons.signalDaemon("slurmctld", "SIGCONT");
    }
    const pod = await system.podInPhase("slow", "Succeeded", 90_000);
    // Had there been a second one, it would have run nothing.
    const jobs = await plugin.jobsOf(pod.metadata?.uid ?? "");
    await waitUntil("Slurm has heard of its end too", async () => {
      const shown = await Promise.all(jobs.map((job) => plugin.user.show(job)));
      return shown.some(({ JobState }) => JobState === "COMPLETED");
    });
    expect(readFileSync(join(plugin.user.folder, "slow"), "utf8")).toBe("ran\n");
    await system.kubectl.run(["delete", "pod", "slow"]);
  });

  test("keeps a delete that is asked for while slurmctld is away", async () => {
    await apply("doomed", "sleep 1000");
    const pod = await system.podInPhase("doomed", "Running");
    await daemons.stopDaemon("slurmctld");
    await system.kubectl.run(["delete", "pod", "doomed", "--wait=false"]);
    await waitUntil("the delete is on its way", async () => {
      const { metadata } = (await system.pod("doomed")) ?? {};
      return metadata?.deletionTimestamp !== undefined;
    });
    await daemons.startDaemon("slurmctld");
    await waitUntil(
      "the pod is gone",
      async () => (await system.pod("doomed")) === undefined,
      90_000,
    );
    const [job = "", ...more] = await plugin.jobsOf(pod.metadata?.uid ?? "");
    expect(more).toEqual([]);
    await plugin.user.jobIn(job, "CANCELLED", "FAILED", "COMPLETED");
  });

  test("fails a pod whose node has failed, and says so", async () => {
    await apply("unlucky", "sleep 1000");
    await system.podInPhase("unlucky", "Running");
    await daemons.stopDaemon("slurmd");
    const node = `NodeName=${daemons.nodeName}`;
    await daemons.command("scontrol", "update", node, "State=DOWN", "Reason=test");
    const pod = await system.podInPhase("unlucky", "Failed", 60_000);
    const told = pod.status?.containerStatuses?.[0]?.state?.terminated;
    expect(`${told?.reason} ${told?.message} ${pod.status?.reason} ${pod.status?.message}`).toMatch(
      /node/i,
    );
    await daemons.startDaemon("slurmd");
    await daemons.start();
    await system.kubectl.run(["delete", "pod", "unlucky", "--timeout=60s"]);
  });
});
