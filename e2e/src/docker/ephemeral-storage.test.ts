import { existsSync, readFileSync } from "node:fs";
import { mkdir, mkdtemp, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { EngineClient, parseDockerHost } from "@interlink/plugin-docker";
import type { PodSpec } from "kubernetes-types/core/v1.js";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { describeEngines } from "../systems/describe-system.ts";
import { DockerDaemon, whyNoDaemon } from "../systems/docker-daemon.ts";
import { BUSYBOX, makeBusyboxImage } from "../systems/images.ts";
import { findProgram, runProgram } from "../systems/programs.ts";
import { waitUntil } from "../systems/wait-until.ts";
import { ProviderFixture } from "./provider-fixture.ts";

const MIB = 1024 * 1024;

const writes = (megabytes: number, limit: string): PodSpec => ({
  containers: [
    {
      name: "main",
      image: BUSYBOX,
      imagePullPolicy: "IfNotPresent",
      command: [
        "sh",
        "-c",
        `dd if=/dev/zero of=/file bs=1M count=${megabytes} 2>&1; sync; stat -c 'size %s' /file; exec sleep 1234`,
      ],
      resources: { limits: { "ephemeral-storage": limit } },
    },
  ],
});

describeEngines("ephemeral storage where the storage driver limits nothing", (engine) => {
  let fixture: ProviderFixture;
  beforeAll(async () => {
    fixture = await ProviderFixture.open(engine.host);
  });
  afterAll(async () => {
    await fixture[Symbol.asyncDispose]();
  });

  it("is measured: a pod that writes more than its limit is evicted, and one that does not is left alone", async () => {
    const modest = await fixture.create(writes(5, "100Mi"));
    const greedy = await fixture.create(writes(30, "20Mi"));
    const status = await waitUntil("the pod has failed", async () => {
      const { extension } = (await fixture.status(greedy)) ?? {};
      return extension?.failed;
    });
    expect(status).toEqual({
      reason: "Evicted",
      message: "Pod ephemeral local storage usage exceeds the total limit of containers 20Mi. ",
    });
    expect((await fixture.container(greedy, "main"))?.state?.terminated).toBeDefined();
    expect((await fixture.container(modest, "main"))?.state?.running).toBeDefined();
  });
});

function whyNoQuotas(): string | undefined {
  if (findProgram("mkfs.btrfs") === undefined) return "there is no mkfs.btrfs (btrfs-progs)";
  const hasBtrfs = readFileSync("/proc/filesystems", "utf8").includes("btrfs");
  return hasBtrfs && existsSync("/dev/loop-control") ? undefined : "there is no btrfs, or no loop";
}

const why = whyNoDaemon() ?? whyNoQuotas();
const title = "ephemeral storage where the storage driver has limits (Docker on btrfs)";

// A disk of its own, in a file: quotas are the file system's.
describe.skipIf(why !== undefined)(why === undefined ? title : `${title} [skipped: ${why}]`, () => {
  let folder: string;
  let daemon: DockerDaemon;
  let fixture: ProviderFixture;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "interlink-btrfs-"));
    const disk = join(folder, "disk");
    const mounted = join(folder, "mounted");
    await writeFile(disk, "");
    await truncate(disk, 400 * MIB);
    await mkdir(mounted);
    await runProgram("mkfs.btrfs", ["-q", disk]);
    await runProgram("mount", ["-o", "loop", disk, mounted]);
    daemon = new DockerDaemon(join(mounted, "engine"), {
      isolated: true,
      arguments: ["--storage-driver=btrfs"],
    });
    await daemon.start();
    await using client = new EngineClient(parseDockerHost(daemon.host));
    await makeBusyboxImage(client, BUSYBOX);
    fixture = await ProviderFixture.open(daemon.host, { network: "none" });
  });
  afterAll(async () => {
    await fixture[Symbol.asyncDispose]();
    await daemon.destroy();
    await runProgram("umount", [join(folder, "mounted")]);
    await rm(folder, { recursive: true });
  });

  it("ends at the limit, without what the image takes", async () => {
    const data = await fixture.create(writes(30, "10Mi"));
    const size = await waitUntil("it has written", async () => {
      const found = /size (\d+)/.exec(await fixture.log(data))?.[1];
      return found !== undefined && Number(found);
    });
    expect(await fixture.log(data)).toContain("Disk quota exceeded");
    expect(size).toBeLessThanOrEqual(10 * MIB);
    expect(size).toBeGreaterThan(9 * MIB);
    expect((await fixture.container(data, "main"))?.state?.running).toBeDefined();
  });

  it("has no end without a limit", async () => {
    const spec = writes(30, "10Mi");
    const [main] = spec.containers;
    if (main !== undefined) delete main.resources;
    const data = await fixture.create(spec);
    await waitUntil("it has written", async () =>
      (await fixture.log(data)).includes(`size ${30 * MIB}`),
    );
  });
});
