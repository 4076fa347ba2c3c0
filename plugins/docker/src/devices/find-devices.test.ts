import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { FakeEngine, json } from "../testing/fake-engine.ts";
import { cdiDevices, completeInventory } from "./complete-inventory.ts";
import { findAmd, findNvidia, readNvidiaInformation } from "./find-devices.ts";
import type { DeviceSetting } from "./inventory.ts";

/** As drivers write it; there is no such hardware where this is tested. */
const information = (uuid: string, more = ""): string =>
  `Model: \t\t NVIDIA A100-SXM4-40GB
IRQ:   \t\t 222
GPU UUID: \t ${uuid}
Video BIOS: \t 92.00.45.00.03
Bus Type: \t PCIe
DMA Size: \t 47 bits
DMA Mask: \t 0x7fffffffffff
Bus Location: \t 0000:07:00.0
Device Minor: \t 0
${more}`;
const A = "GPU-e3f822b9-8c5f-95a5-b379-8dfdeefd7758";
const B = "GPU-15ea7bf9-1a0e-2d7f-9c62-c28e5ca1aaf1";

let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "devices-"));
});
afterEach(async () => {
  await rm(root, { recursive: true });
});

async function put(path: string, text = ""): Promise<void> {
  const file = join(root, path);
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, text);
}

async function putNvidia(): Promise<void> {
  await put("proc/driver/nvidia/gpus/0000:47:00.0/information", information(B));
  await put("proc/driver/nvidia/gpus/0000:07:00.0/information", information(A));
}

async function putAmd(): Promise<void> {
  const folder = "sys/module/amdgpu/drivers/pci:amdgpu";
  for (const [address, card, render] of [
    ["0000:c3:00.0", "card1", "renderD129"],
    ["0000:83:00.0", "card0", "renderD128"],
  ]) {
    await put(`${folder}/${address}/drm/${card}/dev`);
    await put(`${folder}/${address}/drm/${render}/dev`);
    await put(`${folder}/${address}/drm/controlD64/dev`);
  }
  await put(`${folder}/bind`);
  await put("dev/kfd");
}

describe("readNvidiaInformation", () => {
  it.each([
    [information(A), { uuid: A, isExcluded: false }],
    [information(A, "GPU Excluded:\t No\n"), { uuid: A, isExcluded: false }],
    [information(A, "GPU Excluded:\t Yes\n"), { uuid: A, isExcluded: true }],
    [information(A, "GPU Blacklisted: Yes\n"), { uuid: A, isExcluded: true }],
    [information("GPU-????????-????-????-????-????????????"), { isExcluded: false }],
    ["", { isExcluded: false }],
  ])("case %#", (text, expected) => {
    expect(readNvidiaInformation(text)).toEqual(expected);
  });
});

it("finds the GPUs of a NVIDIA driver by UUID, in the order of their addresses", async () => {
  await putNvidia();
  await put(
    "proc/driver/nvidia/gpus/0000:90:00.0/information",
    information("GPU-????????-????-????-????-????????????"),
  );
  await put(
    "proc/driver/nvidia/gpus/0000:a0:00.0/information",
    information(A, "GPU Excluded: Yes"),
  );
  const { units, problems } = await findNvidia(root);
  expect(units).toEqual([{ id: A }, { id: B }]);
  expect(problems).toEqual([expect.stringContaining("0000:90:00.0: start nvidia-persistenced")]);
});

it("finds AMD's by PCI address, which a restart of the machine does not change, with their nodes", async () => {
  await putAmd();
  expect(await findAmd(root)).toEqual({
    units: [
      { id: "0000:83:00.0", devices: ["/dev/dri/card0", "/dev/dri/renderD128"] },
      { id: "0000:c3:00.0", devices: ["/dev/dri/card1", "/dev/dri/renderD129"] },
    ],
    problems: [],
  });
  await rm(join(root, "dev/kfd"));
  expect(await findAmd(root)).toMatchObject({
    units: [],
    problems: [expect.stringContaining("no /dev/kfd")],
  });
});

it("says where it has looked when it finds none", async () => {
  const { problems } = await findNvidia(root);
  expect(problems).toEqual([
    `There is no GPU of a NVIDIA driver in ${root}/proc/driver/nvidia/gpus.`,
  ]);
  expect((await findAmd(root)).problems[0]).toContain("no GPU of the amdgpu driver");
});

describe("what an operator has left out", () => {
  const settings: DeviceSetting[] = [
    { resource: "nvidia.com/gpu", kind: "nvidia" },
    { resource: "amd.com/gpu", kind: "amd" },
    { resource: "site.test/fpga", units: [{ id: "0", devices: ["/dev/x"] }] },
  ];
  const complete = async (info: object, wanted = settings, version?: object) => {
    await using engine = await FakeEngine.open(
      (_, response) => json(response, 200, info),
      ...(version === undefined ? [] : [version]),
    );
    const signal = new AbortController().signal;
    const completed = await completeInventory(wanted, engine.client, signal, root);
    return { ...completed, asked: engine.asked };
  };

  it("is found on the machine", async () => {
    await putNvidia();
    await putAmd();
    const { inventory, problems } = await complete({ Runtimes: { runc: {}, nvidia: {} } });
    expect(problems).toEqual([]);
    expect(inventory).toEqual([
      { resource: "nvidia.com/gpu", kind: "nvidia", units: [{ id: A }, { id: B }] },
      {
        resource: "amd.com/gpu",
        kind: "amd",
        units: [
          { id: "0000:83:00.0", devices: ["/dev/dri/card0", "/dev/dri/renderD128"] },
          { id: "0000:c3:00.0", devices: ["/dev/dri/card1", "/dev/dri/renderD129"] },
        ],
        shared: ["/dev/kfd"],
      },
      { resource: "site.test/fpga", units: [{ id: "0", devices: ["/dev/x"] }] },
    ]);
  });

  it("comes from the engine's own list where it gives GPUs by CDI", async () => {
    const info = {
      Runtimes: { runc: {} },
      DiscoveredDevices: [
        "nvidia.com/gpu=all",
        "nvidia.com/gpu=1",
        "nvidia.com/gpu=0",
        "v.t/x=0",
      ].map((ID) => ({ Source: "cdi", ID })),
    };
    const units = [{ id: "nvidia.com/gpu=0" }, { id: "nvidia.com/gpu=1" }];
    expect((await complete(info)).inventory[0]).toEqual({
      resource: "nvidia.com/gpu",
      kind: "cdi",
      units,
    });
    const wanted: DeviceSetting[] = [{ resource: "nvidia.com/gpu", kind: "cdi" }];
    expect((await complete(info, wanted)).inventory[0]?.units).toEqual(units);
    expect(cdiDevices("x.test/y", info)).toEqual([]);
  });

  it("is nothing, with a word about it, where there is nothing", async () => {
    const { inventory, problems } = await complete({}, [
      ...settings,
      { resource: "v.t/x", kind: "cdi" },
    ]);
    expect(inventory.map(({ units }) => units.length)).toEqual([0, 0, 1, 0]);
    expect(problems).toHaveLength(3);
    await putNvidia();
    const [problem] = (await complete({}, settings.slice(0, 1))).problems;
    expect(problem).toContain("install NVIDIA's container toolkit");
  });

  it("is nothing on Podman where it takes device requests, which it overlooks", async () => {
    await putNvidia();
    await putAmd();
    const podman = { ApiVersion: "1.41", Components: [{ Name: "Podman Engine" }] };
    const wanted: DeviceSetting[] = [
      ...settings,
      { resource: "v.t/x", kind: "cdi", units: [{ id: "v.t/x=0" }] },
    ];
    const { inventory, problems } = await complete({}, wanted, podman);
    expect(inventory.map(({ units }) => units.length)).toEqual([0, 2, 1, 0]);
    expect(problems).toEqual([
      expect.stringContaining("Podman does not give nvidia.com/gpu"),
      expect.stringContaining("Podman does not give v.t/x"),
    ]);
  });

  it("is not looked for when nothing was left out", async () => {
    const { asked, inventory } = await complete({}, settings.slice(2));
    expect(asked).toEqual([]);
    expect(inventory).toEqual(settings.slice(2));
  });
});
