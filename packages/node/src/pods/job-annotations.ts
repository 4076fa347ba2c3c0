import { JOB_ID_ANNOTATION } from "@interlink/protocol";
import type { Pod } from "kubernetes-types/core/v1.js";

/** Which pod the `JobID` belongs to: annotations are copied with manifests, UIDs are not. */
const JOB_OWNER_ANNOTATION = "interlink.virtual-kubelet.io/job-uid";

/** Whether the annotations say that this very pod got a job. */
export function saysItHasJob({ metadata, status }: Pod): boolean {
  const annotations = metadata?.annotations ?? {};
  if (annotations[JOB_ID_ANNOTATION] === undefined) return false;
  const owner = annotations[JOB_OWNER_ANNOTATION];
  // Old nodes write no owner; then only a pod that a node has acknowledged can have got its id there.
  return owner === undefined ? status?.startTime !== undefined : owner === metadata?.uid;
}

/** The annotations that the pod still lacks; undefined when it has them, or when there is no id to write. */
export function missingJobAnnotations(
  { metadata }: Pod,
  jobId: string | undefined,
): Record<string, string> | undefined {
  const { uid = "", annotations = {} } = metadata ?? {};
  const isOurs = annotations[JOB_OWNER_ANNOTATION] === uid;
  if (!jobId || (isOurs && annotations[JOB_ID_ANNOTATION] !== undefined)) return undefined;
  return { [JOB_ID_ANNOTATION]: jobId, [JOB_OWNER_ANNOTATION]: uid };
}
