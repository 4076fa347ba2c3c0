import type { ContainerSpec } from "@interlink/plugin-sdk";
import type { Container, Pod, PodSpec } from "kubernetes-types/core/v1.js";

export function testPod(spec: Partial<PodSpec> = {}): Pod {
  return {
    metadata: { name: "pod", namespace: "ns", uid: "0f1e2d3c-0000-4000-8000-000000000001" },
    spec: { containers: [{ name: "main", image: "busybox" }], ...spec },
  };
}

export function testContainerSpec(
  container: Partial<Container> = {},
  more: Partial<ContainerSpec> = {},
): ContainerSpec {
  return {
    pod: testPod(),
    kind: "regular",
    container: { name: "main", image: "busybox", ...container },
    attempt: 2,
    imageID: "docker.io/library/busybox@sha256:00",
    env: [],
    mounts: [],
    terminationMessageFile: "/jobs/x/termination",
    directory: "/jobs/x",
    logFile: "/jobs/x/log",
    ...more,
  };
}
