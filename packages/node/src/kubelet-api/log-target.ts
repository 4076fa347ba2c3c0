import { allContainers, allStatuses } from "@interlink/protocol";
import type { ContainerStatus, Pod } from "kubernetes-types/core/v1.js";
import { KubeletError } from "./kubelet-error.ts";

const waitingWords: Readonly<Record<string, string>> = {
  ErrImagePull: "image can't be pulled",
  ImagePullBackOff: "trying and failing to pull image",
};

/**
 * Whether there is a log to show: throws the KubeletError that a kubelet would answer with, in its words, because
 * `kubectl logs` prints them (reference: kubelet-contract 6.3, `kubelet_pods.go` validateContainerLogStatus).
 */
export function checkLogTarget(
  pod: Pod | undefined,
  podName: string,
  container: string,
  previous: boolean,
): asserts pod is Pod {
  if (pod === undefined)
    throw new KubeletError("not-found", `pod ${quote(podName)} does not exist\n`);
  const inPod = `container ${quote(container)} in pod ${quote(podName)}`;
  if (!hasContainer(pod, container))
    throw new KubeletError(
      "not-found",
      `container ${quote(container)} not found in pod ${quote(podName)}\n`,
    );
  const status = statusOf(pod, container);
  if (previous) {
    if (!status?.lastState?.terminated)
      throw new KubeletError("bad-request", `previous terminated ${inPod} not found`);
    return;
  }
  if (status === undefined) throw new KubeletError("bad-request", `${inPod} is not available`);
  const { state, lastState } = status;
  if (state?.running || state?.terminated || lastState?.terminated) return;
  if (!state?.waiting) throw new KubeletError("bad-request", `${inPod} is not available`);
  const reason = state.waiting.reason ?? "";
  throw new KubeletError(
    "bad-request",
    `${inPod} is waiting to start: ${waitingWords[reason] ?? reason}`,
  );
}

function hasContainer(pod: Pod, name: string): boolean {
  return allContainers(pod).some((one) => one.name === name);
}

function statusOf(pod: Pod, name: string): ContainerStatus | undefined {
  return allStatuses(pod.status).find((one) => one.name === name);
}

/** As Go's %q for names, which hold nothing to be escaped. */
function quote(name: string): string {
  return JSON.stringify(name);
}
