import { ProtocolError } from "@interlink/protocol";
import type { Pod } from "kubernetes-types/core/v1.js";
import type { PodRecord } from "./pod-record.ts";

/** `namespace/name`. */
function nameOf(pod: Pod): string {
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

/** The same of a pod that may be gone by now, which leaves its UID. */
export function aboutUid(
  uid: string,
  record: PodRecord | undefined,
): { uid: string; pod?: string } {
  return record === undefined ? { uid } : aboutRecord(record);
}

/** What a log line says of a failure: the error, and the id of the request that failed if it was one to the site. */
export function aboutError(error: unknown): { err: unknown; requestId?: string } {
  const requestId = failedRequest(error);
  return { err: error, ...(requestId === undefined ? {} : { requestId }) };
}

/** Errors about errors are not deeper than this. */
const MAX_CAUSES = 5;

function failedRequest(error: unknown): string | undefined {
  let one = error;
  for (let depth = 0; depth < MAX_CAUSES && one instanceof Error; depth++, one = one.cause)
    if (one instanceof ProtocolError && one.requestId !== undefined) return one.requestId;
  return undefined;
}
