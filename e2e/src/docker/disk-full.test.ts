import { mkdtemp, readdir } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { EngineClient, parseDockerHost } from "@interlink/plugin-docker";
import { describe, expect, it, onTestFinished } from "vitest";
import { describeEngines } from "../systems/describe-system.ts";
import { DockerDaemon, whyNoDaemon } from "../systems/docker-daemon.ts";
import { BUSYBOX, makeBusyboxImage } from "../systems/images.ts";
import { fillDisk, mountSmall } from "../systems/small-disk.ts";
import { waitUntil } from "../systems/wait-until.ts";
import { ProviderFixture } from "./provider-fixture.ts";

const isRoot = process.getuid?.() === 0;
const pod = (command = "while true; do usleep 50000; done") => ({
  terminationGracePeriodSeconds: 1,
  containers: [
    {
      name: "main",
      image: BUSYBOX,
      imagePullPolicy: "IfNotPresent" as const,
      command: ["sh", "-c", command],
    },
  ],
});

describeEngines("a full disk under the plugin's directory", (engine) => {
  it.skipIf(!isRoot)("refuses pods until there is space, and loses none", async () => {
    const fixture = await ProviderFixture.open(engine.host, {}, "2m");
    const { root } = fixture.options();
    onTestFinished(() => fixture[Symbol.asyncDispose]());
    const before = await fixture.create(pod());
    await fixture.running(before);

    const release = await fillDisk(root);
    onTestFinished(release);
    // Larger than what the plugin may give free by writing other records anew.
    const refused = fixture.data(pod(`echo ran; exit 0; # ${"x".repeat(100_000)}`));
    const error = await fixture.provider
      .create(refused, fixture.signal)
      .catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({
      code: "unavailable",
      message: expect.stringContaining("no space left on device") as string,
    });
    expect(await fixture.status(refused)).toBeUndefined();
    expect((await fixture.container(before, "main"))?.state?.running).toBeDefined();

    // Whoever stops it now finds everything again, and nothing of what was refused.
    await fixture.stop();
    await release();
    await fixture.start();
    expect(await fixture.status(refused)).toBeUndefined();
    await fixture.running(before);
    expect((await fixture.container(before, "main"))?.restartCount).toBe(0);

    await fixture.provider.create(refused, fixture.signal);
    expect((await fixture.ended(refused)).state?.terminated?.exitCode).toBe(0);
    expect(await fixture.log(refused)).toBe("ran\n");
    await fixture.remove(before, 0);
    await fixture.remove(refused, 0);
    expect(await readdir(join(root, "tmp"))).toEqual([]);
  });
});

const why = whyNoDaemon();
const title = "a full disk under the engine";

// Its own engine: the others' disk is not ours to fill.
describe.skipIf(why !== undefined)(why === undefined ? title : `${title} [skipped: ${why}]`, () => {
  it("tells the engine's words, tries again, and runs the pod once there is space", async () => {
    const folder = await mkdtemp(join(tmpdir(), "interlink-engine-"));
    const data = join(folder, "data");
    await mountSmall(data, "64m");
    const daemon = new DockerDaemon(folder, { isolated: true });
    onTestFinished(() => daemon.destroy());
    await daemon.start();
    await using client = new EngineClient(parseDockerHost(daemon.host));
    await makeBusyboxImage(client, BUSYBOX);
    await using fixture = await ProviderFixture.open(daemon.host, { network: "none" });
    const release = await fillDisk(data);
    const one = await fixture.create(pod("echo ran"));
    await waitUntil("the reason is told", () =>
      fixture.events.some(({ message }) => /no space left on device/i.test(message)),
    );
    expect((await fixture.container(one, "main"))?.state?.running).toBeUndefined();
    await release();
    expect(
      await waitUntil(
        "it has run",
        async () => (await fixture.container(one, "main"))?.state?.terminated,
        90_000,
      ),
    ).toMatchObject({ exitCode: 0 });
    expect(await fixture.log(one)).toBe("ran\n");
    await fixture.remove(one, 0);
    expect(fixture.events.filter(({ reason }) => reason === "Started")).toHaveLength(1);
  });
});
