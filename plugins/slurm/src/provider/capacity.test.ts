import { expect, it } from "vitest";
import { SlurmError } from "../commands/slurm-error.ts";
import { parseNodes } from "../slurm/cluster-nodes.ts";
import { capacityAnswer, scriptAnswer } from "./capacity.ts";

const nodes = parseNodes(
  "n1|debug|up|idle|64|8000|gpu:2,fpga:1\nn2|a/b|up|drained|64|8000|(null)\n",
);
const gres = new Map([
  ["nvidia.com/gpu", "gpu:a100"],
  ["amd.com/gpu", "gpu"],
  ["example.com/fpga", "fpga"],
  ["example.com/none", "none"],
]);

it("tells capacity, each generic resource once, and closed partitions as taints", () => {
  const taints = [{ key: "k", effect: "NoSchedule" }];
  expect(capacityAnswer(nodes, { gres, taints, pods: 50 })).toEqual({
    status: "ok",
    resources: {
      cpu: "64",
      memory: "8000Mi",
      pods: "50",
      accelerators: [
        { resourceType: "nvidia.com/gpu", available: "2" },
        { resourceType: "example.com/fpga", available: "1" },
      ],
    },
    taints: [
      { key: "k", effect: "NoSchedule" },
      { key: "slurm.interlink.eu/closed-a-b", effect: "PreferNoSchedule" },
    ],
  });
});

it("keeps pods away when no partition takes jobs", () => {
  expect(capacityAnswer(nodes, { gres, partitions: ["a/b"] })).toMatchObject({
    resources: { cpu: "0", memory: "0Mi" },
    taints: [{ effect: "NoSchedule" }],
  });
});

it("takes the answer of a site's own program, and its taints unless some are configured", () => {
  const own = '{"resources":{"cpu":"5"},"taints":[{"key":"own","effect":"NoExecute"}]}';
  expect(scriptAnswer(own, {})).toMatchObject({
    status: "ok",
    resources: { cpu: "5" },
    taints: [{ key: "own" }],
  });
  expect(scriptAnswer(own, { taints: [] }).taints).toEqual([]);
  expect(() => scriptAnswer("no JSON", {})).toThrow(SlurmError);
});
