import type { PodFailurePolicyRule } from "kubernetes-types/batch/v1.js";
import type { Pod } from "kubernetes-types/core/v1.js";
import { describe, expect, it } from "vitest";
import { failureAction } from "./failure-policy.ts";

describe("what a job does about a failed pod", () => {
  const pod = {
    metadata: { name: "p", namespace: "default" },
    status: {
      phase: "Failed",
      conditions: [{ type: "DisruptionTarget", status: "True" }],
      containerStatuses: [
        { name: "main", state: { terminated: { exitCode: 42 } } },
        { name: "side", state: { terminated: { exitCode: 0 } } },
      ],
    },
  } as unknown as Pod;
  const exit = (
    operator: string,
    values: number[],
    action = "FailJob",
    containerName?: string,
  ): PodFailurePolicyRule => ({
    action,
    onExitCodes: { operator, values, ...(containerName && { containerName }) },
  });
  const disrupted: PodFailurePolicyRule = {
    action: "Ignore",
    onPodConditions: [{ type: "DisruptionTarget", status: "" }],
  };

  it.each<[string, PodFailurePolicyRule[], string, string]>([
    ["no rules", [], "Count", ""],
    [
      "an exit code in the list",
      [exit("In", [1, 42])],
      "FailJob",
      "Container main for pod default/p failed with exit code 42 matching FailJob rule at index 0",
    ],
    ["an exit code that is not", [exit("In", [1])], "Count", ""],
    [
      "a code outside of a list",
      [exit("In", [1]), exit("NotIn", [1])],
      "FailJob",
      "Container main for pod default/p failed with exit code 42 matching FailJob rule at index 1",
    ],
    ["a success, which no list is about", [exit("NotIn", [1, 42])], "Count", ""],
    ["another container", [exit("In", [42], "FailJob", "side")], "Count", ""],
    [
      "a condition, true unless said otherwise",
      [disrupted, exit("In", [42])],
      "Ignore",
      "Pod default/p has condition DisruptionTarget matching Ignore rule at index 0",
    ],
    ["a rule that only counts, before others", [exit("In", [42], "Count"), disrupted], "Count", ""],
  ])("for %s", (_title, rules, action, message) => {
    expect(failureAction({ rules }, pod)).toEqual({ action, message });
  });
});
