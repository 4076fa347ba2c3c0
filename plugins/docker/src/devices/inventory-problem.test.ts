import { expect, it } from "vitest";
import type { DeviceSetting } from "./inventory.ts";
import { inventoryProblem } from "./inventory-problem.ts";

const R = "a.test/r";
const S = "a.test/s";
const unit = (id: string, ...devices: string[]) => ({ id, devices });

it.each<[string, DeviceSetting[], string | undefined]>([
  ["nothing", [], undefined],
  [
    "distinct units",
    [{ resource: R, units: [unit("0", "/dev/a"), unit("1", "/dev/b")] }],
    undefined,
  ],
  [
    "nodes that all units share",
    [{ resource: R, units: [unit("0"), unit("1")], shared: ["/dev/kfd"] }],
    undefined,
  ],
  [
    "names that two resources use for different things",
    [
      { resource: R, units: [unit("0", "/dev/a")] },
      { resource: S, units: [unit("0", "/dev/b")] },
    ],
    undefined,
  ],
  [
    "units to be found",
    [
      { resource: R, kind: "nvidia" },
      { resource: S, kind: "amd" },
    ],
    undefined,
  ],
  ["a unit twice", [{ resource: R, units: [unit("0"), unit("0")] }], "lists a.test/r 0 twice"],
  [
    "a node in two units",
    [{ resource: R, units: [unit("0", "/dev/a"), unit("1", "/dev/a")] }],
    "lists /dev/a for both a.test/r 0 and a.test/r 1",
  ],
  [
    "a node in two resources",
    [
      { resource: R, units: [unit("0", "/dev/a")] },
      { resource: S, units: [unit("x", "/dev/a")] },
    ],
    "lists /dev/a for both a.test/r 0 and a.test/s x",
  ],
  [
    "a GPU in two resources",
    [
      { resource: R, kind: "nvidia", units: [unit("GPU-1")] },
      { resource: S, kind: "nvidia", units: [unit("GPU-1")] },
    ],
    "lists GPU-1 for both a.test/r GPU-1 and a.test/s GPU-1",
  ],
  [
    "a resource twice",
    [
      { resource: R, units: [unit("0")] },
      { resource: R, units: [unit("1")] },
    ],
    "has a.test/r twice",
  ],
  ["nodes to be found", [{ resource: R }], "says nothing of the units of a.test/r"],
  [
    "two resources that take all",
    [
      { resource: R, kind: "nvidia" },
      { resource: S, kind: "nvidia" },
    ],
    "both take all that is found of kind nvidia",
  ],
])("of %s it says %s", (_, settings, words) => {
  const problem = inventoryProblem(settings);
  if (words === undefined) expect(problem).toBeUndefined();
  else expect(problem).toContain(words);
});
