import { PluginError } from "@interlink/plugin-sdk";
import fc from "fast-check";
import type { Container, Pod, PodSpec } from "kubernetes-types/core/v1.js";
import { expect, it } from "vitest";
import { podResources } from "./pod-resources.ts";

const one = (limits: Record<string, string>, rest: Partial<Container> = {}): Container => ({
  name: "c",
  resources: { limits },
  ...rest,
});
const pod = (spec: Partial<PodSpec>): Pod => ({ spec: { containers: [], ...spec } });
const sums = (spec: Partial<PodSpec>) => {
  const { extended, ...rest } = podResources(pod(spec));
  return { ...rest, ...Object.fromEntries(extended) };
};

it.each<[string, Partial<PodSpec>, object]>([
  ["nothing stated", { containers: [{ name: "c" }] }, {}],
  ["a sum", { containers: [one({ cpu: "1" }), one({ cpu: "500m" })] }, { cpus: 2 }],
  ["thousandths", { containers: [one({ cpu: "100m" }), one({ cpu: "900m" })] }, { cpus: 1 }],
  ["exact memory", { containers: [one({ memory: "1.1Gi" })] }, { memory: 1127 }],
  ["a little memory", { containers: [one({ memory: "1" })] }, { memory: 1 }],
  ["decimal memory", { containers: [one({ memory: "1G" })] }, { memory: 954 }],
  ["zero", { containers: [one({ cpu: "0", "nvidia.com/gpu": "0" })] }, {}],
  [
    "requests where there is no limit",
    {
      containers: [
        { name: "a", resources: { requests: { cpu: "2" }, limits: { cpu: "3" } } },
        { name: "b", resources: { requests: { cpu: "4", memory: "1Mi" } } },
      ],
    },
    { cpus: 7, memory: 1 },
  ],
  [
    "a large init container",
    { initContainers: [one({ cpu: "8" }), one({ cpu: "2" })], containers: [one({ cpu: "1" })] },
    { cpus: 8 },
  ],
  [
    "sidecars beside containers and later init containers",
    {
      initContainers: [
        one({ cpu: "3" }),
        one({ cpu: "2" }, { restartPolicy: "Always" }),
        one({ cpu: "4" }),
      ],
      containers: [one({ cpu: "1" })],
    },
    { cpus: 6 },
  ],
  [
    "the overhead, but not where nothing is stated",
    { overhead: { cpu: "250m", memory: "1Mi" }, containers: [one({ cpu: "1" })] },
    { cpus: 2 },
  ],
  [
    "resources of the pod",
    { containers: [one({ cpu: "9" })], resources: { limits: { cpu: "2" } } } as Partial<PodSpec>,
    { cpus: 2 },
  ],
  [
    "GPUs and disk",
    {
      containers: [
        one({ "nvidia.com/gpu": "1", "ephemeral-storage": "1Gi" }),
        one({ "nvidia.com/gpu": "2" }),
      ],
    },
    { storage: 1024, "nvidia.com/gpu": 3 },
  ],
])("adds up %s", (_what, spec, expected) => {
  expect(sums(spec)).toEqual(expected);
});

it("refuses what is no quantity", () => {
  const bad = pod({ containers: [one({ memory: "lots" })] });
  expect(() => podResources(bad)).toThrow(PluginError);
  expect(() => podResources(bad)).toThrow('The memory of the container "c", "lots", is not');
});

it("never gives less than the containers that run together ask for", () => {
  const millis = fc.array(fc.nat(5000), { minLength: 1, maxLength: 5 });
  fc.assert(
    fc.property(millis, millis, (inits, mains) => {
      const containers = mains.map((cpu) => one({ cpu: `${cpu}m` }));
      const initContainers = inits.map((cpu) => one({ cpu: `${cpu}m` }));
      const { cpus = 0 } = podResources(pod({ containers, initContainers }));
      const sum = mains.reduce((total, cpu) => total + cpu, 0);
      expect(cpus).toBe(Math.ceil(Math.max(sum, ...inits) / 1000));
    }),
  );
});
