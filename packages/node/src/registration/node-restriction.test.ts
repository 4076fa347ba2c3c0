import { describe, expect, it } from "vitest";
import { mayLabelItself } from "./node-restriction.ts";

describe("mayLabelItself", () => {
  it.each([
    ["type", true],
    ["virtual-node.interlink/type", true],
    ["example.com/zone", true],
    ["kubernetes.io/hostname", true],
    ["topology.kubernetes.io/zone", true],
    ["node.kubernetes.io/exclude-from-external-load-balancers", true],
    ["sub.node.kubernetes.io/x", true],
    ["kubelet.kubernetes.io/x", true],
    ["notkubernetes.io/x", true],
    ["kubernetes.io/role", false],
    ["node-role.kubernetes.io/agent", false],
    ["alpha.service-controller.kubernetes.io/exclude-balancer", false],
    ["node-restriction.kubernetes.io/tenant", false],
    ["a.node-restriction.kubernetes.io/tenant", false],
    ["scheduling.k8s.io/x", false],
    ["topology.kubernetes.io/rack", false],
  ])("%s: %s", (label, allowed) => {
    expect(mayLabelItself(label)).toBe(allowed);
  });
});
