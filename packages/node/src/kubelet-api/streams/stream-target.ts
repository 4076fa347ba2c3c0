import { allContainers, allStatuses } from "@interlink/protocol";
import type { Container, Pod } from "kubernetes-types/core/v1.js";
import { KubeletError } from "../kubelet-error.ts";

/** Throws KubeletError unless there is this pod, and it is the one with this UID if one is given. */
export function requirePod(pod: Pod | undefined, uid: string | undefined): asserts pod is Pod {
  if (pod === undefined || (uid !== undefined && pod.metadata?.uid !== uid)) {
    throw new KubeletError("not-found", "pod does not exist");
  }
}

/**
 * The container of a pod whose process is meant. Throws the KubeletError that kubectl shows when there is none or it
 * does not run (`pkg/kubelet/kubelet_pods.go`, GetExec). No text has a colon and a blank: kubectl would read it as YAML
 * of a Status, and show nothing.
 */
export function requireRunning(pod: Pod, name: string): Container {
  const container = allContainers(pod).find((one) => one.name === name);
  const state = allStatuses(pod.status).find((one) => one.name === name)?.state;
  if (container !== undefined && state?.running !== undefined) return container;
  const quoted = JSON.stringify(name);
  if (container === undefined) {
    throw new KubeletError("not-found", `container not found (${quoted})`);
  }
  if (state?.terminated !== undefined) {
    const { exitCode } = state.terminated;
    throw new KubeletError(
      "bad-request",
      `container ${quoted} is not running, it has ended with exit code ${exitCode}`,
    );
  }
  const reason = state?.waiting?.reason ?? "";
  throw new KubeletError(
    "bad-request",
    `container not found (${quoted}), it does not run yet${reason === "" ? "" : ` (${reason})`}`,
  );
}
