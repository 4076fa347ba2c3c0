import type { Container, PodSpec } from "kubernetes-types/core/v1.js";
import { expect, test } from "vitest";
import { memoryVolumeBytes } from "./memory-size.ts";

const limited = (name: string, memory?: string, more: Partial<Container> = {}): Container => ({
  name,
  ...(memory === undefined ? {} : { resources: { limits: { memory } } }),
  ...more,
});

test.each<[string, PodSpec, string | undefined, number | undefined]>([
  ["nothing is said", { containers: [limited("a")] }, undefined, undefined],
  ["only the volume has a limit", { containers: [limited("a")] }, "1Ki", 1024],
  ["a limit of 0 is none", { containers: [limited("a")] }, "0", undefined],
  [
    "every container has one",
    { containers: [limited("a", "1k"), limited("b", "2k")] },
    undefined,
    3000,
  ],
  ["one has none", { containers: [limited("a", "1k"), limited("b")] }, undefined, undefined],
  ["the volume's is smaller", { containers: [limited("a", "1M")] }, "1k", 1000],
  ["the pod's is smaller", { containers: [limited("a", "1k")] }, "1M", 1000],
  [
    "an init container needs more",
    { initContainers: [limited("i", "9k")], containers: [limited("a", "1k")] },
    undefined,
    9000,
  ],
  [
    "a sidecar runs along",
    {
      initContainers: [limited("s", "2k", { restartPolicy: "Always" })],
      containers: [limited("a", "1k")],
    },
    undefined,
    3000,
  ],
])("an emptyDir in memory when %s", (_name, spec, sizeLimit, expected) => {
  expect(memoryVolumeBytes({ spec }, sizeLimit)).toBe(expected);
});
