import type { Container } from "kubernetes-types/core/v1.js";
import { describe, expect, it } from "vitest";
import { testPod } from "../testing/pods.ts";
import { deviceEnvironment, engineDevices } from "./engine-devices.ts";
import {
  assignDevices,
  type DeviceResource,
  deviceCapacity,
  deviceProblem,
  wantedDevices,
} from "./inventory.ts";

const GPU = "nvidia.com/gpu";
const wants = (name: string, count: number, more: Partial<Container> = {}): Container => ({
  name,
  resources: { limits: { [GPU]: String(count), cpu: "1", memory: "1Gi", "hugepages-2Mi": "2Mi" } },
  ...more,
});
const INVENTORY: DeviceResource[] = [
  { resource: GPU, kind: "nvidia", units: [{ id: "GPU-a" }, { id: "GPU-b" }] },
  {
    resource: "amd.com/gpu",
    units: [{ id: "0", devices: ["/dev/dri/card0", "/dev/dri/renderD128"] }, { id: "1" }],
    shared: ["/dev/kfd"],
  },
  { resource: "vendor.test/npu", kind: "cdi", units: [{ id: "vendor.test/npu=0" }] },
];

it("counts extended resources only", () => {
  expect([...wantedDevices(wants("a", 2))]).toEqual([[GPU, 2]]);
  expect(wantedDevices({ resources: { limits: { [GPU]: "0" } } }).size).toBe(0);
  expect(wantedDevices({}).size).toBe(0);
});

describe("assignDevices", () => {
  it("gives each container its own", () => {
    const pod = testPod({ containers: [wants("a", 1), { name: "none" }, wants("b", 2)] });
    expect(assignDevices(pod, { [GPU]: ["0", "1", "2", "3"] })).toEqual({
      a: { [GPU]: ["0"] },
      b: { [GPU]: ["1", "2"] },
    });
  });

  it("lends init containers what the others will have, but never a sidecar's", () => {
    const pod = testPod({
      initContainers: [
        wants("first", 2),
        wants("side", 1, { restartPolicy: "Always" }),
        wants("second", 1),
      ],
      containers: [wants("main", 1)],
    });
    expect(assignDevices(pod, { [GPU]: ["0", "1"] })).toEqual({
      first: { [GPU]: ["0", "1"] },
      side: { [GPU]: ["0"] },
      second: { [GPU]: ["1"] },
      main: { [GPU]: ["1"] },
    });
  });

  it("says what is short", () => {
    const pod = testPod({ containers: [wants("a", 1), wants("b", 2)] });
    expect(assignDevices(pod, { [GPU]: ["0", "1"] })).toEqual({
      resource: GPU,
      requested: 3,
      available: 2,
    });
  });
});

it("refuses what can never be had", () => {
  const problem = (resource: string, count: string) =>
    deviceProblem(
      testPod({ containers: [{ name: "a", resources: { limits: { [resource]: count } } }] }),
      INVENTORY,
    );
  expect(problem(GPU, "2")).toBeUndefined();
  expect(problem(GPU, "3")).toBe(
    "The pod asks for 3 of nvidia.com/gpu, of which this plugin has 2.",
  );
  expect(problem("constructor", "1")).toContain("does not have (nvidia.com/gpu, amd.com/gpu");
  expect(deviceCapacity(INVENTORY)).toEqual({
    [GPU]: "2",
    "amd.com/gpu": "2",
    "vendor.test/npu": "1",
  });
});

it("asks the engine for NVIDIA and CDI by requests, for others by device nodes", () => {
  const node = (path: string) => ({
    PathOnHost: path,
    PathInContainer: path,
    CgroupPermissions: "rwm",
  });
  expect(engineDevices(INVENTORY, {})).toEqual({});
  expect(
    engineDevices(INVENTORY, {
      [GPU]: ["GPU-b"],
      "amd.com/gpu": ["0"],
      "vendor.test/npu": ["vendor.test/npu=0"],
    }),
  ).toEqual({
    DeviceRequests: [
      { Driver: "nvidia", DeviceIDs: ["GPU-b"], Capabilities: [["gpu"]] },
      { Driver: "cdi", DeviceIDs: ["vendor.test/npu=0"] },
    ],
    Devices: [node("/dev/kfd"), node("/dev/dri/card0"), node("/dev/dri/renderD128")],
  });
});

it("lets no image take NVIDIA GPUs that its container was not given", () => {
  expect(deviceEnvironment([], {})).toEqual([]);
  expect(deviceEnvironment(INVENTORY, {})).toEqual([
    { name: "NVIDIA_VISIBLE_DEVICES", value: "void" },
  ]);
  expect(deviceEnvironment(INVENTORY, { [GPU]: ["GPU-a", "GPU-b"] })).toEqual([
    { name: "NVIDIA_VISIBLE_DEVICES", value: "GPU-a,GPU-b" },
  ]);
});
