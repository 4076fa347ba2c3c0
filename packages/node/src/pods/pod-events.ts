import { type EventRecorder, podReference } from "@interlink/kube";
import type { RemotePodEvent } from "@interlink/protocol";
import type { Pod } from "kubernetes-types/core/v1.js";

/** Events about pods; the words are a kubelet's where it has some (kubelet-contract.md section 5). */
export interface PodEvents {
  normal(pod: Pod, reason: string, message: string, container?: string): void;
  warning(pod: Pod, reason: string, message: string, container?: string): void;
  /** As the site told it. */
  remote(pod: Pod, event: RemotePodEvent): void;
}

export function createPodEvents(recorder: Pick<EventRecorder, "record">): PodEvents {
  const record =
    (type: "Normal" | "Warning") =>
    (pod: Pod, reason: string, message: string, container?: string): void =>
      recorder.record(podReference(pod, container), type, reason, message);
  return {
    normal: record("Normal"),
    warning: record("Warning"),
    remote: (pod, { type, reason, message, container }) => {
      recorder.record(podReference(pod, container || undefined), type, reason, message);
    },
  };
}
