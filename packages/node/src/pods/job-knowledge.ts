import type { RemotePodStatus } from "@interlink/protocol";
import { isTerminalPhase } from "../status/phase.ts";
import { allEnded, type PodRecord } from "./pod-record.ts";

/** The site took the create. It may have told more of the job by now, even that it is gone. */
export function hearAccepted(record: PodRecord, jobId: string, at: number): void {
  record.jobId = jobId;
  if (record.job === "maybe") record.job = "there";
  record.createdAt = at;
  delete record.waiting;
}

/** The site says how the job is. `at`: when it was asked, or when the record came. */
export function hear(record: PodRecord, status: RemotePodStatus, at: number): void {
  if (isOlder(status, record, at)) return;
  record.remote = status;
  record.jobId ||= status.JID;
  record.heardAt = at;
  delete record.unknown;
  delete record.waiting;
  const unsure = record.job === "none" || record.job === "maybe";
  // Refused or lost, and there all the same: it is to be deleted with its pod.
  const givenUp = record.job === "refused" || (record.job === "over" && !record.accepted);
  if (unsure || (givenUp && isTerminalPhase(record.pod.status?.phase))) record.job = "there";
}

/**
 * The site was asked at `askedAt` and does not know the job. What that means depends on what was asked of it before:
 * after an accepted delete the job is over; after a create whose answer was lost there is none. A job that should be
 * there is lost only when a second answer, `lostAfterMs` later, says the same: then the result is true.
 */
export function hearUnknown(
  record: PodRecord,
  askedAt: number,
  now: number,
  lostAfterMs: number,
): boolean {
  const { accepted, pod, unknown } = record;
  if (accepted) {
    if (accepted.at < askedAt) record.job = "over";
    return false;
  }
  if (record.job === "maybe") {
    if (record.unsureUntil !== undefined && askedAt < record.unsureUntil) return false;
    if (!record.absent && !pod.metadata?.deletionTimestamp) record.job = "none";
    return false;
  }
  const newest = Math.max(record.createdAt ?? 0, record.heardAt);
  if (record.job !== "there" || newest >= askedAt) return false;
  if (isTerminalPhase(pod.status?.phase)) return false;
  if (unknown && unknown.times > 0) return unknown.recheckAt <= now;
  record.unknown = { times: 1, recheckAt: now + lostAfterMs };
  return false;
}

/** The site says that the job is gone. True when nobody asked for that and its end is not known: it is lost. */
export function hearGone(record: PodRecord): boolean {
  if (record.job === "none" || record.job === "refused" || record.job === "over") return false;
  const { accepted, absent, pod } = record;
  // An earlier life of this node may have asked: then only the pod itself shows that it was deleted.
  const wasDeleted =
    accepted !== undefined || absent || pod.metadata?.deletionTimestamp !== undefined;
  if (wasDeleted || allEnded(record) || isTerminalPhase(pod.status?.phase)) {
    record.job = "over";
    return false;
  }
  return true;
}

/** The stream and our own questions may cross; a revision tells which came later at the plugin. */
function isOlder(status: RemotePodStatus, record: PodRecord, at: number): boolean {
  const revision = status.extension?.revision;
  const held = record.remote?.extension?.revision;
  // Revisions of one plugin's life only: after its restart they may begin anew, with a new answer to a later question.
  if (revision !== undefined && held !== undefined && at <= record.heardAt) return revision < held;
  return at < record.heardAt;
}
