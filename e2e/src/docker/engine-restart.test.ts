import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { EngineClient, parseDockerHost } from "@interlink/plugin-docker";
import { describe, expect, it, onTestFinished } from "vitest";
import { DockerDaemon, whyNoDaemon } from "../systems/docker-daemon.ts";
import { BUSYBOX, makeBusyboxImage } from "../systems/images.ts";
import { waitUntil } from "../systems/wait-until.ts";
import { ProviderFixture } from "./provider-fixture.ts";

const why = whyNoDaemon();
const title = "a real engine that goes away and comes back";

// Its own engine: the others' must not be stopped under them.
describe.skipIf(why !== undefined)(why === undefined ? title : `${title} [skipped: ${why}]`, () => {
  async function engine(options: readonly string[]): Promise<DockerDaemon> {
    const folder = await mkdtemp(join(tmpdir(), "interlink-engine-"));
    const daemon = new DockerDaemon(folder, { isolated: true, arguments: options });
    onTestFinished(() => daemon.destroy());
    await daemon.start();
    await using client = new EngineClient(parseDockerHost(daemon.host));
    await makeBusyboxImage(client, BUSYBOX);
    return daemon;
  }

  const pod = {
    restartPolicy: "Always",
    containers: [
      {
        name: "main",
        image: BUSYBOX,
        imagePullPolicy: "IfNotPresent" as const,
        command: ["sh", "-c", "echo started; while true; do usleep 50000; done"],
      },
    ],
  };

  it("changes nothing when containers live on", async () => {
    const daemon = await engine(["--live-restore"]);
    const fixture = await ProviderFixture.open(daemon.host, { network: "none" });
    const data = await fixture.create(pod);
    await fixture.running(data);
    const before = await fixture.container(data, "main");
    await daemon.stop();
    await expect(fixture.provider.ping?.(fixture.signal)).rejects.toThrow("does not answer");
    expect(await fixture.container(data, "main")).toEqual(before);
    await daemon.start();
    await waitUntil("the plugin has the engine again", async () =>
      Boolean(await fixture.provider.ping?.(fixture.signal)),
    );
    expect(await fixture.container(data, "main")).toEqual(before);
    expect(await fixture.log(data)).toBe("started\n");
    // It hears of changes again.
    await fixture.remove(data, 0);
    await fixture[Symbol.asyncDispose]();
  });

  it("restarts pods whose containers ended with the engine, once, and their init containers too", async () => {
    const daemon = await engine([]);
    const fixture = await ProviderFixture.open(daemon.host, { network: "none" });
    const data = await fixture.create(pod);
    const [main] = pod.containers;
    const setUp = { ...main, name: "set-up", command: ["true"] };
    const prepared = await fixture.create({ ...pod, initContainers: [setUp] });
    for (const one of [data, prepared]) await fixture.running(one);
    await daemon.stop();
    expect(await fixture.status(data)).toMatchObject({ containers: [{ name: "main" }] });
    await daemon.start();
    const again = await waitUntil("the container runs again", async () => {
      const found = await fixture.container(data, "main");
      return found?.restartCount === 1 && found.state?.running ? found : undefined;
    });
    expect(again.lastState?.terminated?.exitCode).toBe(137);
    await waitUntil("the other pod runs again from its beginning", async () => {
      const status = await fixture.status(prepared);
      const [first] = status?.initContainers ?? [];
      const [then] = status?.containers ?? [];
      // What was made just before the engine went does not count.
      const both = (first?.restartCount ?? 0) > 0 && (then?.restartCount ?? 0) > 0;
      return both && then?.state?.running !== undefined;
    });
    for (const one of [data, prepared]) await fixture.remove(one, 0);
    await fixture[Symbol.asyncDispose]();
  });
});
