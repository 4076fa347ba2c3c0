import type { LogOptions, LogRequest } from "@interlink/protocol";
import { WHOLE_LOG } from "@interlink/protocol";

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
    Opts: { ...WHOLE_LOG, ...options },
  };
}
