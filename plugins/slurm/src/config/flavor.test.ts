import { describe, expect, it } from "vitest";
import { readSbatchFlags } from "../submit/sbatch-flags.ts";
import { chooseFlavor, countGpus, gpuCount, memoryMiB, readFlavor } from "./flavor.ts";

it.each([
  ["16G", 16_384],
  [" 512 MB ", 512],
  ["1k", 1],
  ["1048577", 2],
  ["0", 0],
])("reads the memory %j as %d MiB", (text, mib) => {
  expect(memoryMiB(text)).toBe(mib);
});

it.each(["1Gi", "1.5G", "T", "", "1B", "-1"])("refuses the memory %j", (text) => {
  expect(() => memoryMiB(text)).toThrow("is not a whole number");
});

it.each<[string, number | undefined]>([
  ["--gres=gpu:2", 2],
  ["--gres=gpu:a100:4", 4],
  ["--gres=gpu", 1],
  ["--gres=gpu:a100:1,shard:3", 1],
  ["--gres=shard:3", undefined],
  ["-G 3", 3],
  ["--gpus-per-node=h100:8", 8],
  ["--partition=gpu", undefined],
  ["--gpus-per-task=a100:2", 2],
  ["--ntasks 4 --gpus-per-task 2", 8],
])("counts the GPUs of %s", (flag, count) => {
  expect(gpuCount(readSbatchFlags(flag.split(" ")))).toBe(count);
});

describe("readFlavor", () => {
  it("reads all of its keys", () => {
    const flags = ["--gres=gpu:1", "-p gpu", "--mail-user a b"];
    expect(
      readFlavor("gpu", { CPUDefault: 4, MemoryDefault: "1G", UID: 5, SlurmFlags: flags }),
    ).toEqual({
      name: "gpu",
      cpus: 4,
      memory: 1024,
      uid: 5,
      flags: [
        { name: "gres", value: "gpu:1" },
        { name: "partition", value: "gpu" },
        { name: "mail-user", value: "a b" },
      ],
    });
  });

  it.each([
    [["gpu"], '"gpu" belongs to no option'],
    [["--output=x"], "--output is set by the plugin itself"],
  ])("says what is wrong with the flags %j", (SlurmFlags, why) => {
    expect(() => readFlavor("f", { SlurmFlags })).toThrow(`Flavors.f.SlurmFlags: ${why}`);
  });
});

describe("chooseFlavor", () => {
  const flavors = [
    readFlavor("plain", {}),
    readFlavor("some-gpus", { SlurmFlags: ["--partition=x-gpu"] }),
    readFlavor("four", { SlurmFlags: ["--gres=gpu:4"] }),
    readFlavor("two", { SlurmFlags: ["-G a100:2"] }),
  ];
  it.each<[object, object]>([
    [{ named: "plain", gpus: 4 }, { flavor: "plain" }],
    [{ gpus: 4 }, { flavor: "four" }],
    [{ gpus: 1 }, { flavor: "two" }],
    [{ gpus: 5 }, { flavor: "some-gpus" }],
    [{ gpus: 0, fallback: "plain" }, { flavor: "plain" }],
    [
      { named: "no", gpus: 0, fallback: "two" },
      { flavor: "two", unknown: "no" },
    ],
    [{ gpus: 0 }, {}],
  ])("of %j chooses %j", (asked, expected) => {
    const { flavor, unknown } = chooseFlavor({ flavors, gpus: 0, ...asked });
    expect({ ...(flavor && { flavor: flavor.name }), ...(unknown && { unknown }) }).toEqual(
      expected,
    );
  });
});

it("counts the GPUs of all vendors", () => {
  const extended = new Map([
    ["nvidia.com/gpu", 1],
    ["amd.com/gpu", 2],
    ["example.com/fpga", 4],
  ]);
  expect(countGpus(extended)).toBe(3);
});
