import type { PodSpec } from "kubernetes-types/core/v1.js";
import { describe, expect, test } from "vitest";
import { overuse, storageLimits } from "./storage-limits.ts";

const volume = (name: string, sizeLimit?: string, medium?: string) => ({
  name,
  emptyDir: { ...(sizeLimit && { sizeLimit }), ...(medium && { medium }) },
});
const container = (name: string, limit?: string) => ({
  name,
  ...(limit && { resources: { limits: { "ephemeral-storage": limit } } }),
});

function told(
  spec: Partial<PodSpec>,
  usage: Record<string, bigint>,
  layers?: Record<string, bigint>,
): string | undefined {
  const limits = storageLimits({ spec: { containers: [], ...spec } }, layers !== undefined);
  const map = (amounts: Record<string, bigint>) => new Map(Object.entries(amounts));
  return limits && overuse(limits, map(usage), map(layers ?? {}));
}

describe("the storage of a pod", () => {
  test.each<[string, Partial<PodSpec>, Record<string, bigint>, string | undefined]>([
    ["without limits may grow", { volumes: [volume("v")] }, { v: 10n ** 15n }, undefined],
    ["may be full", { volumes: [volume("v", "1Ki")] }, { v: 1024n }, undefined],
    [
      "may not be more than full",
      { volumes: [volume("a", "1Gi"), volume("v", "1Ki")] },
      { v: 1025n },
      'Usage of EmptyDir volume "v" exceeds the limit "1Ki". ',
    ],
    [
      "in memory is its file system's",
      { volumes: [volume("v", "1", "Memory")] },
      { v: 2n },
      undefined,
    ],
    ["with a limit of nothing has none", { volumes: [volume("v", "0")] }, { v: 2n }, undefined],
    [
      "is limited as a whole by its container",
      { containers: [container("c", "1Ki")], volumes: [volume("v"), volume("w")] },
      { v: 1000n, w: 1000n },
      "Pod ephemeral local storage usage exceeds the total limit of containers 1Ki. ",
    ],
    [
      "is limited as a whole by the sum of its containers",
      {
        containers: [container("c", "1k"), container("d", "1k"), container("e")],
        volumes: [volume("v")],
      },
      { v: 2001n },
      "Pod ephemeral local storage usage exceeds the total limit of containers 2000. ",
    ],
    [
      "may use all that its containers have together",
      { containers: [container("c", "1k"), container("d", "1k")], volumes: [volume("v")] },
      { v: 2000n },
      undefined,
    ],
  ])("%s", (_, spec, usage, expected) => {
    expect(told(spec, usage)).toBe(expected);
  });

  test("is not measured when there is nothing to measure, or no limit", () => {
    const limited = { spec: { containers: [container("c", "1k")] } };
    expect(storageLimits(limited, false)).toBeUndefined();
    expect(storageLimits(limited, true)?.containers).toMatchObject([{ name: "c" }]);
    const free = { spec: { containers: [container("c")], volumes: [volume("v")] } };
    expect(storageLimits(free, true)).toBeUndefined();
    // Nobody is measured for nothing.
    const own = { spec: { containers: [container("c")], volumes: [volume("v", "1k")] } };
    expect(storageLimits(own, true)?.containers).toEqual([]);
  });

  const two = [container("c", "1k"), container("d", "3k")];
  test.each<[string, Partial<PodSpec>, Record<string, bigint>, string | undefined]>([
    ["may be full", { containers: two }, { c: 1000n, d: 3000n }, undefined],
    [
      "may not be more than full",
      { containers: two },
      { c: 1001n },
      'Container c exceeded its local ephemeral storage limit "1k". ',
    ],
    [
      "counts with those of the others",
      { containers: two },
      { c: 1000n, d: 3001n },
      "Pod ephemeral local storage usage exceeds the total limit of containers 4000. ",
    ],
    [
      "counts for the pod without a limit of its own",
      { containers: [container("c", "1k"), container("free")] },
      { free: 1001n },
      "Pod ephemeral local storage usage exceeds the total limit of containers 1k. ",
    ],
    [
      "counts with the volumes",
      { containers: [container("c", "1k")], volumes: [volume("v")] },
      { c: 600n },
      "Pod ephemeral local storage usage exceeds the total limit of containers 1k. ",
    ],
  ])("a container's own layer %s", (_, spec, layers, expected) => {
    expect(told(spec, spec.volumes ? { v: 600n } : {}, layers)).toBe(expected);
  });
});
