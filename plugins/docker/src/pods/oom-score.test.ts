import type { ResourceRequirements } from "kubernetes-types/core/v1.js";
import { expect, it } from "vitest";
import { testPod } from "../testing/pods.ts";
import { oomScoreAdj } from "./oom-score.ts";

const GIB = 1024 ** 3;
const whole = { cpu: "1", memory: "1Gi" };

it.each<[string, ResourceRequirements, number | undefined]>([
  ["nothing", {}, 1000],
  ["a device only", { limits: { "nvidia.com/gpu": "1" } }, 1000],
  ["all that it may use", { limits: whole }, undefined],
  ["all, said twice", { limits: whole, requests: { cpu: "1000m", memory: "1024Mi" } }, undefined],
  ["some memory", { requests: { memory: "4Gi" } }, 500],
  ["less than its limit", { limits: { memory: "8Gi" }, requests: { memory: "2Gi" } }, 750],
  ["a limit of memory, but none of cpu", { limits: { memory: "2Gi" } }, 750],
  ["only cpu", { requests: { cpu: "1" } }, 999],
  ["hardly any memory", { requests: { memory: "1Ki" } }, 999],
  ["nearly all memory", { requests: { memory: "8180Mi" } }, 3],
])("a container that asks for %s", (_, resources, expected) => {
  const container = { name: "main", image: "busybox", resources };
  expect(oomScoreAdj(testPod({ containers: [container] }), container, 8 * GIB)).toBe(expected);
});

it("goes by the pod as a whole, and by the API server's word for it", () => {
  const containers = [{ name: "free" }, { name: "main", resources: { limits: whole } }];
  const pod = testPod({ containers });
  expect(oomScoreAdj(pod, { resources: {} }, 8 * GIB)).toBe(999);
  const told = { ...pod, status: { qosClass: "BestEffort" } };
  expect(oomScoreAdj(told, { resources: {} }, 8 * GIB)).toBe(1000);
});
