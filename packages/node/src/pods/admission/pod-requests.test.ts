import type { Container, PodSpec } from "kubernetes-types/core/v1.js";
import { describe, expect, test } from "vitest";
import { aPod, container } from "../../testing/pods.ts";
import { podRequests } from "./pod-requests.ts";

const cpu = (name: string, amount: string, over: Partial<Container> = {}) =>
  container(name, { resources: { requests: { cpu: amount } }, ...over });

describe("what a pod takes of its node", () => {
  test.each<[string, Partial<PodSpec>, Record<string, bigint>]>([
    ["nothing", {}, {}],
    [
      "the sum of its containers",
      { containers: [cpu("a", "1"), cpu("b", "250m")] },
      { cpu: 1250n },
    ],
    [
      "what its largest init container needs, if that is more",
      { initContainers: [cpu("i", "3"), cpu("j", "2")], containers: [cpu("a", "1")] },
      { cpu: 3000n },
    ],
    [
      "its sidecars beside its containers",
      {
        initContainers: [cpu("s", "1", { restartPolicy: "Always" })],
        containers: [cpu("a", "1")],
      },
      { cpu: 2000n },
    ],
    [
      "an init container beside the sidecars before it only",
      {
        initContainers: [
          cpu("s", "1", { restartPolicy: "Always" }),
          cpu("i", "3"),
          cpu("t", "1", { restartPolicy: "Always" }),
        ],
        containers: [cpu("a", "1")],
      },
      { cpu: 4000n },
    ],
    [
      "overhead",
      { containers: [cpu("a", "1")], overhead: { cpu: "100m", memory: "1Ki" } },
      { cpu: 1100n, memory: 1024n },
    ],
    [
      "what is said of the pod as a whole, before its containers",
      {
        containers: [cpu("a", "1")],
        resources: { limits: { cpu: "5", memory: "5" }, requests: { cpu: "2" } },
      } as Partial<PodSpec>,
      { cpu: 2000n, memory: 5n },
    ],
    ["parts of a unit rounded up", { containers: [cpu("a", "100u")] }, { cpu: 1n }],
    ["nothing of what cannot be read", { containers: [cpu("a", "much")] }, {}],
  ])("%s", (_, spec, expected) => {
    expect(Object.fromEntries(podRequests(aPod(spec)))).toEqual(expected);
  });
});
