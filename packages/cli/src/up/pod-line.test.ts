import type { ContainerStatus, Pod } from "kubernetes-types/core/v1.js";
import { describe, expect, test } from "vitest";
import { podLine } from "./pod-line.ts";

function container(name: string, state: ContainerStatus["state"]): ContainerStatus {
  return {
    name,
    image: "",
    imageID: "",
    ready: false,
    restartCount: 0,
    ...(state ? { state } : {}),
  };
}

const running = { running: { startedAt: "2026-01-01T00:00:00Z" } };
const completed = { terminated: { exitCode: 0, reason: "Completed" } };
const failed = { terminated: { exitCode: 42, reason: "Error", message: "no luck" } };

function pod(status: Pod["status"], extra: Partial<Pod> = {}): Pod {
  return { metadata: { name: "p" }, ...(status ? { status } : {}), ...extra };
}

const initSpec = { initContainers: [{ name: "a" }, { name: "b" }], containers: [{ name: "c" }] };

describe("podLine says what kubectl's STATUS column says", () => {
  test.each<[string, Pod, { state: string; message: string }]>([
    ["a pod without status is pending", pod(undefined), { state: "Pending", message: "" }],
    [
      "the reason of the pod wins over its phase",
      pod({ phase: "Failed", reason: "Evicted", message: "low on memory" }),
      { state: "Evicted", message: "low on memory" },
    ],
    [
      "a waiting container tells why it waits",
      pod({
        phase: "Pending",
        containerStatuses: [
          container("c", { waiting: { reason: "ErrImagePull", message: "no such image" } }),
        ],
      }),
      { state: "ErrImagePull", message: "no such image" },
    ],
    [
      "a failed container shows its exit code",
      pod({ phase: "Failed", containerStatuses: [container("c", failed)] }),
      { state: "Error (exit code 42)", message: "no luck" },
    ],
    [
      "one container done and one running is a running pod",
      pod({
        phase: "Running",
        containerStatuses: [container("c", completed), container("d", running)],
      }),
      { state: "Running", message: "" },
    ],
    [
      "one container failed and one running shows the failure",
      pod({
        phase: "Running",
        containerStatuses: [container("c", failed), container("d", running)],
      }),
      { state: "Error (exit code 42)", message: "no luck" },
    ],
    [
      "a running init container is counted",
      pod(
        {
          phase: "Pending",
          initContainerStatuses: [container("a", completed), container("b", running)],
        },
        { spec: initSpec },
      ),
      { state: "Init:1/2", message: "" },
    ],
    [
      "a failed init container is named as such",
      pod({ phase: "Failed", initContainerStatuses: [container("a", failed)] }, { spec: initSpec }),
      { state: "Init:Error (exit code 42)", message: "no luck" },
    ],
    [
      "a started sidecar does not hold the pod in Init",
      pod(
        {
          phase: "Running",
          initContainerStatuses: [{ ...container("a", running), started: true }],
          containerStatuses: [container("c", running)],
        },
        { spec: { initContainers: [{ name: "a", restartPolicy: "Always" }], containers: [] } },
      ),
      { state: "Running", message: "" },
    ],
    [
      "a deleted pod is terminating whatever its containers do",
      pod(
        { phase: "Running", containerStatuses: [container("c", running)] },
        { metadata: { name: "p", deletionTimestamp: "2026-01-01T00:00:00Z" } },
      ),
      { state: "Terminating", message: "" },
    ],
  ])("%s", (_sentence, given, expected) => {
    expect(podLine(given)).toEqual(expected);
  });
});
