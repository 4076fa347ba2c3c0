import type { Pod, ResourceRequirements } from "kubernetes-types/core/v1.js";
import { describe, expect, test } from "vitest";
import { aPod, container, remote, running, status } from "../testing/pods.ts";
import { podStatus } from "./pod-status.ts";

const now = new Date("2026-01-01T00:01:00Z");
const context = { hostIP: undefined, allStopped: false };

function podWith(resources: ResourceRequirements, over: Pod["metadata"] = {}, before?: Pod): Pod {
  return aPod(
    { containers: [container("main", { resources })] },
    { metadata: { generation: 1, ...over }, ...(before?.status ? { status: before.status } : {}) },
  );
}

function written(pod: Pod): Pod {
  return { ...pod, status: podStatus(pod, remote(pod, [status("main", running())]), context, now) };
}

const pending = (pod: Pod) =>
  written(pod).status?.conditions?.find(({ type }) => type === "PodResizePending");

describe("resources of a running pod", () => {
  const granted = { requests: { cpu: "1" }, limits: { cpu: "2" } };

  test("are told as they were when its job was made", () => {
    const [main] = written(podWith(granted)).status?.containerStatuses ?? [];
    expect(main).toMatchObject({ resources: granted, allocatedResources: { cpu: "1" } });
  });

  test.each<[string, ResourceRequirements]>([
    ["requests", { ...granted, requests: { cpu: "1500m" } }],
    ["limits", { ...granted, limits: { cpu: "3" } }],
    ["another resource", { ...granted, requests: { cpu: "1", memory: "1Gi" } }],
  ])("cannot be changed: %s", (_, wanted) => {
    const before = written(podWith(granted));
    const after = podWith(wanted, { generation: 2 }, before);
    expect(pending(after)).toMatchObject({
      status: "True",
      reason: "Infeasible",
      message: "In-place pod resize is not supported on this node",
      observedGeneration: 2,
    });
    const [main] = written(after).status?.containerStatuses ?? [];
    expect(main).toMatchObject({ resources: granted, allocatedResources: { cpu: "1" } });
  });

  test("are as wanted again when the change is taken back", () => {
    const resized = written(
      podWith({ requests: { cpu: "9" } }, { generation: 2 }, written(podWith(granted))),
    );
    expect(pending(podWith(granted, { generation: 3 }, resized))).toBeUndefined();
  });

  test("may be changed before there is a job", () => {
    const { status: before } = podWith(granted);
    const pod = { ...podWith(granted), ...(before ? { status: before } : {}) };
    const waiting = { ...pod, status: podStatus(pod, undefined, context, now) };
    expect(waiting.status.containerStatuses?.[0]?.resources).toBeUndefined();
    expect(
      pending(podWith({ requests: { cpu: "9" } }, { generation: 2 }, waiting)),
    ).toBeUndefined();
  });

  test("are not told to API servers that know no generations of pods", () => {
    const { generation: _, ...metadata } = podWith(granted).metadata ?? {};
    const pod = { ...podWith(granted), metadata };
    expect(written(pod).status?.containerStatuses?.[0]).not.toHaveProperty("resources");
  });
});
