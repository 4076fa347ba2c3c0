import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Pod } from "kubernetes-types/core/v1.js";
import pino from "pino";
import { expect, it, onTestFinished } from "vitest";
import { FakeEngine, json } from "../testing/fake-engine.ts";
import { Devices } from "./devices.ts";

const R = "site.test/thing";
const signal = new AbortController().signal;
const pod = (uid: string): Pod => ({
  metadata: { uid },
  spec: { containers: [{ name: "main", resources: { limits: { [R]: "1" } } }] },
});

it("takes devices back from pods whose job is gone, but for those that still have a container", async () => {
  const folder = await mkdtemp(join(tmpdir(), "devices-"));
  const engine = await FakeEngine.open((_, response, url) => {
    const filters = url.searchParams.get("filters") ?? "";
    json(response, 200, filters.includes("interlink.pod.uid=runs") ? [{ Id: "1" }] : []);
  });
  onTestFinished(async () => {
    await engine[Symbol.asyncDispose]();
    await rm(folder, { recursive: true });
  });
  const file = join(folder, "devices.json");
  const settings = [
    {
      resource: R,
      units: ["a", "b", "c"].map((id) => ({ id, devices: [`/dev/${id}`] })),
    },
  ];
  const open = async (jobs: readonly string[]): Promise<Devices> => {
    const devices = new Devices({
      engine: engine.client,
      settings,
      file,
      logger: pino({ level: "silent" }),
      hasJob: (uid) => jobs.includes(uid),
    });
    await devices.start(signal);
    return devices;
  };
  const before = await open([]);
  for (const uid of ["waits", "gone", "runs"]) await before.assign(pod(uid));
  const after = await open(["waits"]);
  expect(Object.keys((JSON.parse(await readFile(file, "utf8")) as { pods: object }).pods)).toEqual([
    "waits",
    "runs",
  ]);
  await after.assign(pod("next"));
  const nodeOf = (uid: string) => after.forContainer(uid, "main").devices.Devices?.[0]?.PathOnHost;
  expect(["waits", "gone", "runs", "next"].map(nodeOf)).toEqual([
    "/dev/a",
    undefined,
    "/dev/c",
    "/dev/b",
  ]);
  await expect(after.assign(pod("more"))).rejects.toMatchObject({ code: "CreateFailed" });
});
