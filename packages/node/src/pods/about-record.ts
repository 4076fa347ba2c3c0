import type { Pod } from "kubernetes-types/core/v1.js";
import type { PodRecord } from "./pod-record.ts";

/** `namespace/name`, for logs. */
export function nameOf(pod: Pod): string {
  return `${pod.metadata?.namespace ?? ""}/${pod.metadata?.name ?? ""}`;
}

/** What every log line about a pod says of it; `job` is its id at the site, once that is known. */
export function aboutRecord({ pod, uid, jobId }: PodRecord): {
  pod: string;
  uid: string;
  job?: string;
} {
  return { pod: nameOf(pod), uid, ...(jobId ? { job: jobId } : {}) };
}
