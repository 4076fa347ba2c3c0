import type { Pod } from "kubernetes-types/core/v1.js";
import type { PodVerdict } from "../status/pod-status.ts";

const MIRROR_ANNOTATION = "kubernetes.io/config.mirror";

/** Mirrors of another kubelet's static pods are not for us to run. */
export function isMirrorPod(pod: Pod): boolean {
  return pod.metadata?.annotations?.[MIRROR_ANNOTATION] !== undefined;
}

/** Why this node cannot take the pod at all (kubelet-contract.md 3.1); `undefined` when it can. */
export function rejection(pod: Pod): PodVerdict | undefined {
  const os = pod.spec?.os?.name;
  if (os === undefined || os === "linux") return undefined;
  return {
    reason: "PodOSNotSupported",
    message: "Pod was rejected: Failed to admit pod as the OS field doesn't match node OS",
  };
}
