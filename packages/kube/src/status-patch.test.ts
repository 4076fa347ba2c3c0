import fc from "fast-check";
import type { NodeCondition, PodCondition, PodStatus } from "kubernetes-types/core/v1.js";
import { describe, expect, it } from "vitest";
import { sameJson } from "./json.ts";
import { nodeStatusPatch, podStatusPatch } from "./status-patch.ts";
import { applyStrategicPatch } from "./testing/apply-strategic-patch.ts";

const ready = (status: string, more: Partial<PodCondition> = {}): PodCondition => ({
  type: "Ready",
  status,
  ...more,
});

describe("podStatusPatch", () => {
  it("is nothing when nothing changed", () => {
    const status: PodStatus = {
      phase: "Running",
      conditions: [ready("True")],
      podIPs: [{ ip: "1" }],
    };
    expect(podStatusPatch("u", status, structuredClone(status))).toBeUndefined();
  });

  it("is nothing when the server has only added nulls to what it was given", () => {
    const given: PodStatus = { conditions: [ready("True")] };
    const answered = { conditions: [{ ...ready("True"), lastProbeTime: null }], reason: null };
    expect(podStatusPatch("u", answered as unknown as PodStatus, given)).toBeUndefined();
  });

  it.each<[string, PodStatus, PodStatus, unknown]>([
    ["a first status", {}, { phase: "Pending" }, { phase: "Pending" }],
    [
      "a changed scalar only",
      { phase: "Pending", startTime: "t" },
      { phase: "Running", startTime: "t" },
      { phase: "Running" },
    ],
    ["a scalar that went", { reason: "x" }, {}, { reason: null }],
    [
      "one condition of two",
      { conditions: [ready("False"), { type: "Initialized", status: "True" }] },
      { conditions: [ready("True"), { type: "Initialized", status: "True" }] },
      { conditions: [{ type: "Ready", status: "True" }] },
    ],
    [
      "a condition's field that went",
      { conditions: [ready("False", { reason: "r", message: "m" })] },
      { conditions: [ready("False", { reason: "r" })] },
      { conditions: [{ type: "Ready", message: null }] },
    ],
    [
      "a condition of ours that went",
      { conditions: [ready("False")] },
      { conditions: [] },
      { conditions: [{ type: "Ready", $patch: "delete" }] },
    ],
    [
      "pod IPs as a whole",
      { podIPs: [{ ip: "1.1.1.1" }] },
      { podIPs: [{ ip: "2.2.2.2" }] },
      { podIPs: [{ ip: "2.2.2.2" }, { $patch: "replace" }] },
    ],
    [
      "first pod IPs without a directive, which an old server would keep as an element",
      {},
      { podIPs: [{ ip: "2.2.2.2" }] },
      { podIPs: [{ ip: "2.2.2.2" }] },
    ],
  ])("patches %s", (_name, before, after, status) => {
    expect(podStatusPatch("u", before, after)).toEqual({ metadata: { uid: "u" }, status });
  });

  it("leaves what others write: scheduler conditions, qosClass, claims", () => {
    const before = {
      qosClass: "Burstable",
      resourceClaimStatuses: [{ name: "c" }],
      conditions: [
        { type: "PodScheduled", status: "True" },
        { type: "my.io/gate", status: "True" },
      ],
    };
    expect(podStatusPatch("u", before, { conditions: [] })).toBeUndefined();
  });

  it("replaces container statuses as a whole list", () => {
    const status = (name: string, restartCount: number) => ({
      name,
      restartCount,
      ready: true,
      image: "i",
      imageID: "",
    });
    const after = [status("a", 1), status("b", 0)];
    const before = [status("a", 0), status("b", 0)];
    expect(
      podStatusPatch("u", { containerStatuses: before }, { containerStatuses: after })?.status,
    ).toEqual({ containerStatuses: after });
  });

  const condition = fc.record(
    {
      status: fc.constantFrom("True", "False"),
      reason: fc.constantFrom("a", "b"),
      message: fc.constantFrom("c", "d"),
    },
    { requiredKeys: ["status"] },
  );
  const conditions = fc
    .dictionary(fc.constantFrom("Ready", "Initialized", "ContainersReady"), condition)
    .map((all) => Object.entries(all).map(([type, one]) => ({ type, ...one })));
  const ips = fc
    .uniqueArray(fc.constantFrom("1.1.1.1", "2.2.2.2", "::1"))
    .map((all) => all.map((ip) => ({ ip })));
  const container = fc.record(
    {
      name: fc.constantFrom("a", "b"),
      restartCount: fc.nat(3),
      state: fc.constantFrom({ running: {} }, { waiting: { reason: "r" } }),
    },
    { requiredKeys: ["name"] },
  );
  const status = fc.record(
    {
      phase: fc.constantFrom("Pending", "Running"),
      reason: fc.constantFrom("x", "y"),
      podIP: fc.constantFrom("1.1.1.1", "2.2.2.2"),
      podIPs: ips,
      conditions,
      containerStatuses: fc.array(container, { maxLength: 2 }),
    },
    { requiredKeys: [] },
  ) as fc.Arbitrary<unknown> as fc.Arbitrary<PodStatus>;

  const normal = (value: PodStatus): unknown => ({
    ...value,
    conditions: [...(value.conditions ?? [])].sort((a, b) => a.type.localeCompare(b.type)),
  });

  it("turns any status into any other when a server applies it, twice as well as once", () => {
    fc.assert(
      fc.property(status, status, (before, after) => {
        const patch = podStatusPatch("u", before, after);
        const once = applyStrategicPatch(before, patch?.status ?? {}) as PodStatus;
        const twice = applyStrategicPatch(once, patch?.status ?? {}) as PodStatus;
        expect(normal(once)).toEqual(normal(after));
        expect(normal(twice)).toEqual(normal(after));
        expect(patch === undefined).toBe(sameJson(normal(before), normal(after)));
      }),
    );
  });
});

describe("nodeStatusPatch", () => {
  const disk: NodeCondition = { type: "DiskPressure", status: "False" };
  const foreign: NodeCondition = { type: "KernelDeadlock", status: "False" };

  it("keeps foreign conditions, replaces addresses and removes resources that went", () => {
    const patch = nodeStatusPatch(
      {
        metadata: { labels: { mine: "1", theirs: "2" } },
        status: {
          conditions: [disk, foreign],
          capacity: { cpu: "1", "a/b": "2" },
          addresses: [{ type: "InternalIP", address: "1.1.1.1" }],
        },
      },
      {
        metadata: { labels: { mine: "3" } },
        status: {
          conditions: [{ ...disk, status: "True" }],
          capacity: { cpu: "2" },
          addresses: [{ type: "InternalIP", address: "2.2.2.2" }],
        },
      },
    );
    expect(patch).toEqual({
      metadata: { labels: { mine: "3" } },
      status: {
        conditions: [{ type: "DiskPressure", status: "True" }],
        capacity: { cpu: "2", "a/b": null },
        addresses: [{ type: "InternalIP", address: "2.2.2.2" }, { $patch: "replace" }],
      },
    });
  });

  it("is nothing when nothing changed", () => {
    const node = { metadata: { labels: { a: "b" } }, status: { conditions: [disk] } };
    expect(
      nodeStatusPatch({ ...node, status: { conditions: [disk, foreign] } }, node),
    ).toBeUndefined();
  });
});
