import type { Container } from "kubernetes-types/core/v1.js";
import { describe, expect, test } from "vitest";
import { type ContainerKind, planPod, type RestartPolicy, restartsAfter } from "./planned-pod.ts";

type Own = { restartPolicy?: string; restartPolicyRules?: object[] };
const rule = (operator: string, ...values: number[]) => ({
  action: "Restart",
  exitCodes: { operator, values },
});

describe("whether an ended container runs again", () => {
  test.each<[ContainerKind, RestartPolicy, Own, number, boolean]>([
    ["regular", "Always", {}, 0, true],
    ["regular", "OnFailure", {}, 0, false],
    ["regular", "OnFailure", {}, 1, true],
    ["regular", "Never", {}, 1, false],
    ["init", "Always", {}, 0, false],
    ["init", "Always", {}, 1, true],
    ["init", "OnFailure", {}, 1, true],
    ["init", "Never", {}, 1, false],
    ["sidecar", "Never", { restartPolicy: "Always" }, 0, true],
    // Its own policy goes before the pod's.
    ["regular", "Always", { restartPolicy: "Never" }, 1, false],
    ["regular", "Never", { restartPolicy: "Always" }, 0, true],
    ["regular", "Never", { restartPolicy: "OnFailure" }, 0, false],
    ["init", "Never", { restartPolicy: "OnFailure" }, 1, true],
    ["init", "Always", { restartPolicy: "Never" }, 1, false],
    // Its own rules go before its own policy.
    [
      "regular",
      "Never",
      { restartPolicy: "Never", restartPolicyRules: [rule("In", 42)] },
      42,
      true,
    ],
    [
      "regular",
      "Never",
      { restartPolicy: "Never", restartPolicyRules: [rule("In", 42)] },
      1,
      false,
    ],
    [
      "regular",
      "Never",
      { restartPolicy: "Never", restartPolicyRules: [rule("NotIn", 1)] },
      2,
      true,
    ],
    [
      "regular",
      "Never",
      { restartPolicy: "Never", restartPolicyRules: [rule("NotIn", 1)] },
      1,
      false,
    ],
    ["regular", "Never", { restartPolicyRules: [rule("Like", 1)] }, 1, false],
    ["regular", "Never", { restartPolicyRules: [{ action: "Other" }] }, 1, false],
  ])("%s of a pod with %s, %j, exit code %d: %s", (kind, policy, own, exitCode, expected) => {
    const container = { name: "main", ...own } as Container;
    expect(restartsAfter({ kind, container }, policy, exitCode)).toBe(expected);
  });

  test("an init container with a policy of its own other than Always is no sidecar", () => {
    const plan = planPod({
      spec: {
        containers: [],
        initContainers: [
          { name: "a", restartPolicy: "OnFailure" },
          { name: "b", restartPolicy: "Always" },
        ],
      },
    });
    expect(plan.init.map(({ kind }) => kind)).toEqual(["init", "sidecar"]);
  });
});
