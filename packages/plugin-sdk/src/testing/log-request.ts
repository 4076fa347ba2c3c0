import type { LogOptions, LogRequest } from "@interlink/protocol";
import { ZERO_TIME } from "@interlink/protocol";

/** A request for the log of a pod's container, with nothing set unless `options` says so. */
export function logRequest(
  PodUID: string,
  options: Partial<LogOptions> = {},
  ContainerName = "main",
): LogRequest {
  return {
    Namespace: "default",
    PodUID,
    PodName: `pod-${PodUID.slice(0, 8)}`,
    ContainerName,
    Opts: {
      Tail: 0,
      Bytes: 0,
      Timestamps: false,
      Follow: false,
      Previous: false,
      SinceSeconds: 0,
      SinceTime: ZERO_TIME,
      ...options,
    },
  };
}
