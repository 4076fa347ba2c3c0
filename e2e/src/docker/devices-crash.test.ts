import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { DeviceSetting } from "@interlink/plugin-docker";
import type { Checkpoint } from "@interlink/plugin-sdk";
import type { RetrievedPodData } from "@interlink/protocol";
import { expect, it, onTestFinished } from "vitest";
import { describeEngines } from "../systems/describe-system.ts";
import { BUSYBOX } from "../systems/images.ts";
import { runProgram } from "../systems/programs.ts";
import { waitUntil } from "../systems/wait-until.ts";
import { dieAt } from "./die-at.ts";
import { ProviderFixture, withGrace } from "./provider-fixture.ts";

const RESOURCE = "site.test/zeros";

interface Site {
  fixture: ProviderFixture;
  /** Device nodes that stand for accelerators. */
  nodes: string;
  devices: DeviceSetting[];
}

describeEngines("devices when the plugin is killed", (engine) => {
  async function site(): Promise<Site> {
    const nodes = await mkdtemp(join(tmpdir(), "interlink-devices-"));
    for (const node of ["first", "second"]) {
      await runProgram("mknod", [join(nodes, node), "c", "1", "5"]);
    }
    const units = ["first", "second"].map((id) => ({ id, devices: [join(nodes, id)] }));
    const devices = [{ resource: RESOURCE, units }];
    const fixture = await ProviderFixture.open(engine.host, { devices });
    onTestFinished(async () => {
      await fixture[Symbol.asyncDispose]();
      await rm(nodes, { recursive: true });
    });
    return { fixture, nodes, devices };
  }

  /** A pod that says which devices it has, stays, and takes a while to end. */
  const pod = ({ fixture, nodes }: Site, count: number): RetrievedPodData =>
    fixture.data({
      containers: [
        {
          name: "main",
          image: BUSYBOX,
          imagePullPolicy: "IfNotPresent",
          command: [
            "sh",
            "-c",
            `echo has $(ls ${nodes}); trap 'sleep 1; exit' TERM; while true; do sleep 0.1; done`,
          ],
          resources: { limits: { [RESOURCE]: String(count) } },
        },
      ],
    });

  const shown = ({ fixture }: Site, data: RetrievedPodData): Promise<string> =>
    waitUntil("the pod has shown its devices", async () => {
      const [line] = (await fixture.log(data)).split("\n");
      return line?.startsWith("has") && line;
    });

  it.each<Checkpoint>([
    "create.intent-written",
    "create.sandbox-ready",
    "create.container-created",
  ])("at %s: the pod has the same as before, and no other pod has it", async (step) => {
    const here = await site();
    const { fixture } = here;
    await fixture.stop();
    const one = pod(here, 1);
    await dieAt(here.fixture, step, "create", one, { devices: here.devices });
    const file = join(fixture.options().root, "devices.json");
    const uid = one.pod.metadata?.uid ?? "";
    const written = await readFile(file, "utf8").catch(() => "");
    await fixture.start();
    // Others come before it does.
    const other = pod(here, 1);
    await fixture.provider.create(other, fixture.signal);
    await fixture.provider.create(one, fixture.signal);
    const both = [await shown(here, one), await shown(here, other)];
    expect(both.toSorted()).toEqual(["has first", "has second"]);
    if (step !== "create.intent-written") {
      expect(JSON.parse(written)).toMatchObject({
        pods: { [uid]: { main: { [RESOURCE]: ["first"] } } },
      });
      expect(both[0]).toBe("has first");
    }
  });

  it.each<Checkpoint>(["delete.stop-sent", "delete.containers-ended", "delete.sandbox-removed"])(
    "at %s: nobody has what the pod had before it is over, and then somebody has",
    async (step) => {
      const here = await site();
      const { fixture } = here;
      const one = pod(here, 2);
      await fixture.provider.create(one, fixture.signal);
      expect(await shown(here, one)).toBe("has first second");
      expect(await runningOf(here, one)).toHaveLength(1);
      await fixture.stop();
      await dieAt(
        here.fixture,
        step,
        "delete",
        { ...one, pod: withGrace(one, 30) },
        { devices: here.devices },
      );
      await fixture.start();
      const next = pod(here, 2);
      await fixture.provider.create(next, fixture.signal);
      expect(await shown(here, next)).toBe("has first second");
      expect(await runningOf(here, one)).toEqual([]);
      await fixture.absent(one);
    },
  );

  /** Containers of the pod that run now, by the engine's word. */
  async function runningOf({ fixture }: Site, data: RetrievedPodData): Promise<string[]> {
    const label = [`interlink.pod.uid=${data.pod.metadata?.uid}`, "interlink.kind=regular"];
    const found = await fixture.engine.json<{ Id: string }[]>({
      method: "GET",
      path: "/containers/json",
      query: { filters: { label, status: ["running"] } },
      signal: fixture.signal,
    });
    return found.map(({ Id }) => Id);
  }
});
