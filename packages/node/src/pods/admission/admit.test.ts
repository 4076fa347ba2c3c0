import type { Node, NodeSelectorTerm, NodeSpec, PodSpec } from "kubernetes-types/core/v1.js";
import { describe, expect, test } from "vitest";
import { aPod, container } from "../../testing/pods.ts";
import { rejection, type Taken } from "./admit.ts";

const free: Taken = { pods: 0, amounts: new Map(), hostPorts: [] };

function node(spec: NodeSpec = {}): Node {
  return {
    metadata: { name: "vn", labels: { zone: "a", size: "7", "kubernetes.io/os": "linux" } },
    spec,
    status: { allocatable: { cpu: "4", memory: "1Gi", pods: "3", "example.com/card": "1" } },
  };
}

function asking(requests: Record<string, string>): Partial<PodSpec> {
  return { containers: [container("main", { resources: { requests } })] };
}

function inTerm(key: string, operator: string, values?: string[], field = false): Partial<PodSpec> {
  const one = [{ key, operator, ...(values ? { values } : {}) }];
  return affinity([field ? { matchFields: one } : { matchExpressions: one }]);
}

function affinity(nodeSelectorTerms: NodeSelectorTerm[]): Partial<PodSpec> {
  const required = { nodeSelectorTerms };
  return {
    affinity: {
      nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: required },
    },
  };
}

describe("a pod that fits is admitted", () => {
  test.each<[string, Partial<PodSpec>, Partial<Taken>]>([
    ["without any wish", {}, {}],
    ["to the last millicore", asking({ cpu: "4" }), {}],
    [
      "into what others leave",
      asking({ cpu: "500m", memory: "1Mi" }),
      { amounts: new Map([["cpu", 3500n]]), pods: 2 },
    ],
    ["with a device that a scheduler extender manages", asking({ "example.com/other": "2" }), {}],
    ["by nodeSelector", { nodeSelector: { zone: "a" } }, {}],
    ["by In", inTerm("zone", "In", ["b", "a"]), {}],
    ["by NotIn of a label that is not there", inTerm("color", "NotIn", ["red"]), {}],
    ["by Exists", inTerm("zone", "Exists"), {}],
    ["by DoesNotExist", inTerm("color", "DoesNotExist"), {}],
    ["by Gt", inTerm("size", "Gt", ["6"]), {}],
    ["by Lt", inTerm("size", "Lt", ["8"]), {}],
    ["by the node's name", inTerm("metadata.name", "In", ["vn"], true), {}],
    [
      "by one of two terms",
      affinity([
        { matchExpressions: [{ key: "zone", operator: "In", values: ["b"] }] },
        { matchExpressions: [{ key: "zone", operator: "In", values: ["a"] }] },
      ]),
      {},
    ],
    ["with os linux", { os: { name: "linux" } }, {}],
    [
      "on another port of the host",
      { containers: [container("main", { ports: [{ containerPort: 1, hostPort: 81 }] })] },
      { hostPorts: [{ protocol: "TCP", ip: "0.0.0.0", port: 80 }] },
    ],
    [
      "on the same port of another protocol",
      {
        containers: [
          container("main", { ports: [{ containerPort: 1, hostPort: 80, protocol: "UDP" }] }),
        ],
      },
      { hostPorts: [{ protocol: "TCP", ip: "0.0.0.0", port: 80 }] },
    ],
    [
      "with a harmless sysctl",
      { securityContext: { sysctls: [{ name: "kernel/shm_rmid_forced", value: "1" }] } },
      {},
    ],
  ])("%s", (_, spec, taken) => {
    expect(rejection(aPod(spec), node(), { ...free, ...taken })).toBeUndefined();
  });
});

describe("a pod that does not fit is rejected in a kubelet's words", () => {
  const didNotMatch =
    "Predicate NodeAffinity failed: node(s) didn't match Pod's node affinity/selector";
  const lacking = (words: string) => `Node didn't have enough resource: ${words}`;
  test.each<[string, Partial<PodSpec>, Partial<Taken>, string, string]>([
    [
      "cpu, in thousandths",
      asking({ cpu: "2" }),
      { amounts: new Map([["cpu", 3000n]]) },
      "OutOfcpu",
      lacking("cpu, requested: 2000, used: 3000, capacity: 4000"),
    ],
    [
      "memory, in bytes",
      asking({ memory: "2Gi" }),
      {},
      "OutOfmemory",
      lacking("memory, requested: 2147483648, used: 0, capacity: 1073741824"),
    ],
    [
      "storage that the node does not offer",
      asking({ "ephemeral-storage": "1" }),
      {},
      "OutOfephemeral-storage",
      lacking("ephemeral-storage, requested: 1, used: 0, capacity: 0"),
    ],
    [
      "one pod too many, before anything else",
      asking({ cpu: "100" }),
      { pods: 3 },
      "OutOfpods",
      lacking("pods, requested: 1, used: 3, capacity: 3"),
    ],
    [
      "a device that is taken",
      asking({ "example.com/card": "1" }),
      { amounts: new Map([["example.com/card", 1n]]) },
      "OutOfexample.com/card",
      lacking("example.com/card, requested: 1, used: 1, capacity: 1"),
    ],
    ["nodeSelector", { nodeSelector: { zone: "b" } }, {}, "NodeAffinity", didNotMatch],
    ["In of an absent label", inTerm("color", "In", ["red"]), {}, "NodeAffinity", didNotMatch],
    ["NotIn", inTerm("zone", "NotIn", ["a"]), {}, "NodeAffinity", didNotMatch],
    ["Gt of what is no number", inTerm("zone", "Gt", ["1"]), {}, "NodeAffinity", didNotMatch],
    ["an unknown operator", inTerm("zone", "Like", ["a"]), {}, "NodeAffinity", didNotMatch],
    ["an empty term", affinity([{}]), {}, "NodeAffinity", didNotMatch],
    [
      "a host port that is taken",
      {
        containers: [
          container("main", { ports: [{ containerPort: 1, hostPort: 80, hostIP: "192.0.2.1" }] }),
        ],
      },
      { hostPorts: [{ protocol: "TCP", ip: "0.0.0.0", port: 80 }] },
      "NodePorts",
      "Predicate NodePorts failed: node(s) didn't have free ports for the requested pod ports",
    ],
    [
      "another system by selector",
      { nodeSelector: { "kubernetes.io/os": "windows" } },
      {},
      "PodOSSelectorNodeLabelDoesNotMatch",
      "Failed to admit pod as the `kubernetes.io/os` label doesn't match node label",
    ],
    [
      "another system by os",
      { os: { name: "windows" } },
      {},
      "PodOSNotSupported",
      "Failed to admit pod as the OS field doesn't match node OS",
    ],
    [
      "a sysctl that touches others",
      { securityContext: { sysctls: [{ name: "kernel.msgmax", value: "1" }] } },
      {},
      "SysctlForbidden",
      'forbidden sysctl: "kernel.msgmax" not allowlisted',
    ],
    [
      "a net sysctl in the host's network",
      {
        hostNetwork: true,
        securityContext: { sysctls: [{ name: "net.ipv4.tcp_syncookies", value: "1" }] },
      },
      {},
      "SysctlForbidden",
      'forbidden sysctl: "net.ipv4.tcp_syncookies" not allowed with host network enabled',
    ],
    [
      "strict supplemental groups",
      { securityContext: { supplementalGroupsPolicy: "Strict" } } as Partial<PodSpec>,
      {},
      "SupplementalGroupsPolicyNotSupported",
      "SupplementalGroupsPolicy=Strict is not supported in this node",
    ],
  ])("%s", (_, spec, taken, reason, message) => {
    const pod = aPod(spec);
    expect(rejection(pod, node(), { ...free, ...taken })).toEqual({ reason, message });
  });
});

describe("a taint", () => {
  const taints = (effect: string) => node({ taints: [{ key: "gone", value: "yes", effect }] });
  test.each<[string, PodSpec["tolerations"] | undefined, boolean]>([
    ["nothing", undefined, false],
    ["everything", [{ operator: "Exists" }], true],
    ["the key", [{ key: "gone", operator: "Exists", effect: "NoExecute" }], true],
    ["key and value", [{ key: "gone", value: "yes" }], true],
    ["another value", [{ key: "gone", operator: "Equal", value: "no" }], false],
    ["another key", [{ key: "here", operator: "Exists" }], false],
    ["another effect", [{ operator: "Exists", effect: "NoSchedule" }], false],
    ["an unknown operator", [{ key: "gone", operator: "Lt", value: "yes" }], false],
  ])("NoExecute, pod tolerates %s", (_, tolerations, admitted) => {
    const pod = aPod(tolerations ? { tolerations } : {});
    expect(rejection(pod, taints("NoExecute"), free)?.reason).toBe(
      admitted ? undefined : "TaintToleration",
    );
  });

  test.each(["NoSchedule", "PreferNoSchedule"])("%s is the scheduler's", (effect) => {
    expect(rejection(aPod(), taints(effect), free)).toBeUndefined();
  });
});
