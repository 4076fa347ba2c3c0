import type { RetrievedPodData } from "@interlink/protocol";
import type { Job, JobChange, JobPhase } from "./job-store.ts";

const ORDER: readonly JobPhase[] = ["intent", "submitted", "deleting"];

/** The job of a pod that has just arrived. `at`: RFC 3339. */
export function newJob<Record>(data: RetrievedPodData, record: Record, at: string): Job<Record> {
  const { uid = "", name = "", namespace = "" } = data.pod.metadata ?? {};
  return { schemaVersion: 1, uid, name, namespace, phase: "intent", createdAt: at, record };
}

/** The job after `change`. A phase never goes back, and its time is that of its first entry. */
export function changedJob<Record>(
  job: Job<Record>,
  change: JobChange<Record>,
  at: string,
): Job<Record> {
  const { phase = job.phase, ...rest } = change;
  const next = ORDER.indexOf(phase) > ORDER.indexOf(job.phase) ? phase : job.phase;
  return {
    ...job,
    ...rest,
    phase: next,
    ...(phase === "submitted" && { submittedAt: job.submittedAt ?? at }),
    ...(phase === "deleting" && { deletingAt: job.deletingAt ?? at }),
  };
}

/** A job read from disk. Throws an `Error` that says what is wrong with it; a newer shape gives {@link NewerJobError}. */
export function readJob<Record>(
  text: string,
  uid: string,
  readRecord: (value: unknown) => Record,
): Job<Record> {
  const value = JSON.parse(text) as Partial<Job<unknown>> | null;
  if (typeof value !== "object" || value === null) throw new Error("it is not an object");
  if (typeof value.schemaVersion === "number" && value.schemaVersion > 1) {
    throw new NewerJobError(`its schema version is ${value.schemaVersion}`);
  }
  if (value.schemaVersion !== 1) throw new Error("it has no schema version");
  if (value.uid !== uid) throw new Error("it belongs to another UID");
  for (const key of ["name", "namespace", "createdAt"] as const) {
    if (typeof value[key] !== "string") throw new Error(`"${key}" is missing`);
  }
  for (const key of ["jobId", "submittedAt", "deletingAt"] as const) {
    if (value[key] !== undefined && typeof value[key] !== "string") {
      throw new Error(`"${key}" is not a text`);
    }
  }
  if (!ORDER.includes(value.phase as JobPhase)) throw new Error('"phase" is unknown');
  return { ...(value as Job<unknown>), record: readRecord(value.record) };
}

/** Written by a later version of this program; reading it as damaged would lose the job. */
export class NewerJobError extends Error {
  override readonly name = "NewerJobError";
}
