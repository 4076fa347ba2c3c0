import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { DeviceResource } from "@interlink/plugin-docker";
import type { PodSpec } from "kubernetes-types/core/v1.js";
import { afterAll, beforeAll, expect, it } from "vitest";
import { describeEngines } from "../systems/describe-system.ts";
import { BUSYBOX } from "../systems/images.ts";
import { runProgram } from "../systems/programs.ts";
import { waitUntil } from "../systems/wait-until.ts";
import { ProviderFixture } from "./provider-fixture.ts";

const RESOURCE = "site.test/zeros";

describeEngines("devices of the site, on a real engine", (engine) => {
  let folder: string;
  let fixture: ProviderFixture;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "interlink-devices-"));
    // Two sources of zeros stand for two accelerators; the engine opens them like any other device node.
    for (const node of ["first", "second"]) {
      await runProgram("mknod", [join(folder, node), "c", "1", "5"]);
    }
    const units = ["first", "second"].map((id) => ({ id, devices: [join(folder, id)] }));
    const devices: DeviceResource[] = [{ resource: RESOURCE, units }];
    fixture = await ProviderFixture.open(engine.host, { devices });
  });
  afterAll(async () => {
    await fixture[Symbol.asyncDispose]();
    await rm(folder, { recursive: true });
  });

  const asks = (count: number, script: string): PodSpec => ({
    containers: [
      {
        name: "main",
        image: BUSYBOX,
        imagePullPolicy: "IfNotPresent",
        command: ["sh", "-c", script],
        resources: { limits: { [RESOURCE]: String(count) } },
      },
    ],
  });
  const show = () => `ls ${folder}; for f in ${folder}/*; do head -c 1 $f | od -An -tx1; done`;
  const stay = () => `${show()}; trap exit TERM; while true; do sleep 0.1; done`;
  const shown = (data: Awaited<ReturnType<ProviderFixture["create"]>>) =>
    waitUntil("the pod has shown its devices", async () => {
      const lines = (await fixture.log(data)).split("\n").map((line) => line.trim());
      return lines.includes("00") && lines.filter((line) => line !== "" && line !== "00");
    });

  it("are told as capacity, given to one pod at a time, and kept over a restart of the plugin", async () => {
    const ping = await fixture.provider.ping?.(fixture.signal);
    expect(ping?.resources?.accelerators).toEqual([{ resourceType: RESOURCE, available: "2" }]);

    const first = await fixture.create(asks(1, stay()));
    expect(await shown(first)).toEqual(["first"]);
    await fixture.stop();
    await fixture.start();
    const second = await fixture.create(asks(1, stay()));
    expect(await shown(second)).toEqual(["second"]);

    const third = await fixture.create(asks(1, show()));
    const uid = third.pod.metadata?.uid;
    await waitUntil("the third is told to wait", () =>
      fixture.events.some(
        ({ UID, reason, message }) =>
          UID === uid &&
          reason === "FailedCreatePodSandBox" &&
          message.includes(`unavailable for ${RESOURCE}. Requested: 1, Available: 0`),
      ),
    );
    await fixture.remove(first, 0);
    await fixture.ended(third);
    expect(await shown(third)).toEqual(["first"]);
    // What has ended holds nothing, though it is still there.
    const fourth = await fixture.create(asks(1, show()));
    await fixture.ended(fourth);
    expect(await shown(fourth)).toEqual(["first"]);
    await fixture.remove(second, 0);
  });

  it("are refused where there are not so many, or none at all", async () => {
    await expect(fixture.create(asks(3, "true"))).rejects.toThrow(
      `The pod asks for 3 of ${RESOURCE}, of which this plugin has 2.`,
    );
    const other: PodSpec = {
      containers: [
        { name: "main", image: BUSYBOX, resources: { limits: { "nvidia.com/gpu": "1" } } },
      ],
    };
    await expect(fixture.create(other)).rejects.toMatchObject({ code: "rejected" });
  });

  it("are seen by no container that did not ask", async () => {
    const data = await fixture.create(asks(0, `ls ${folder} 2>/dev/null || echo none`));
    await fixture.ended(data);
    expect(await fixture.log(data)).toBe("none\n");
  });
});
