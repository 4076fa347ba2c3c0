import type { BatchRecords } from "@interlink/plugin-sdk";
import {
  CONTENT_ANNOTATION,
  CREATED_BY_ANNOTATION,
  type RemotePodStatus,
} from "@interlink/protocol";
import type { ContainerStatus, Pod } from "kubernetes-types/core/v1.js";
import type { JobDetails } from "../slurm/job-details.ts";
import { type JobEnd, jobEnd } from "../slurm/job-state.ts";
import { pendingMessage } from "../slurm/pending-reason.ts";
import type { QueuedJob } from "../slurm/queue.ts";
import { rfc3339 } from "../slurm/slurm-time.ts";
import { UNWRITABLE_CODE } from "./job-script.ts";

/** All that is known of a pod's job. */
export interface JobKnowledge {
  pod: Pod;
  /** `""`: it has none yet. */
  jobId: string;
  records: BatchRecords;
  /** The job as Slurm told it last. */
  queued?: QueuedJob;
  /** It is held in the queue until its images are here. `reason` is a container's. */
  pulling?: { reason: string; message: string };
  /** Its end: Slurm has said that it ended, or does not know it any more. */
  end?: JobDetails | "lost";
  deleting: boolean;
  revision: number;
  /** Milliseconds since the epoch. */
  now: number;
}

/**
 * A pod's status: what the job's script has recorded, and over it what only Slurm knows – why it waits, and how it ended
 * when the script could not say.
 */
export function slurmPodStatus(known: JobKnowledge): RemotePodStatus {
  const { pod, jobId, records, deleting, revision } = known;
  const { name = "", uid = "", namespace = "", annotations = {} } = pod.metadata ?? {};
  const end = endOf(known);
  const waits = end === undefined ? waitingMessage(known) : undefined;
  const isPutBack = waits !== undefined && records.finishedAt !== undefined;
  const held = end === undefined && !deleting ? heldSince(records) : undefined;
  const change = (status: ContainerStatus): ContainerStatus => {
    if (isPutBack) return putBack(status, waits);
    if (status.state?.terminated !== undefined) return asRunning(status, held);
    if (end !== undefined) return ended(status, end, known);
    return waits === undefined ? status : waiting(status, waits, known.pulling?.reason);
  };
  const failed = failure(known, end);
  const createdBy = annotations[CREATED_BY_ANNOTATION];
  const content = annotations[CONTENT_ANNOTATION];
  return {
    name,
    UID: uid,
    namespace,
    JID: jobId,
    containers: records.containers.map(change),
    initContainers: records.initContainers.map(change),
    extension: {
      revision,
      ...(createdBy !== undefined && { createdBy }),
      ...(content !== undefined && { content }),
      ...(records.startedAt !== undefined && { sandboxReadyAt: records.startedAt }),
      ...(records.ephemeralContainers && {
        ephemeralContainers: records.ephemeralContainers.map(change),
      }),
      ...(waits !== undefined && { reason: "SlurmJobPending", message: waits }),
      ...(deleting && { deleting: true }),
      ...(failed && { failed }),
    },
  };
}

/**
 * When Slurm itself asked the job to end, of one whose script has ended since: it may be put back into the queue, or
 * have reached its time limit. What its containers did at the end is told when Slurm has said which.
 */
function heldSince({ askedToEndAt, finishedAt }: BatchRecords): string | undefined {
  return finishedAt === undefined ? undefined : askedToEndAt;
}

/** What the pod waits for, while none of its containers can run. */
function waitingMessage(known: JobKnowledge): string | undefined {
  const { jobId, records, queued, deleting, pulling } = known;
  if (records.finishedAt !== undefined) {
    const isPutBack = queued?.stage === "waiting" && heldSince(records) !== undefined && !deleting;
    return isPutBack ? pendingMessage(jobId, queued.state, queued.reason) : undefined;
  }
  if (pulling !== undefined && records.startedAt === undefined) return pulling.message;
  if (jobId === "") return "The pod is being submitted to Slurm.";
  if (queued?.stage === "waiting") return pendingMessage(jobId, queued.state, queued.reason);
  if (records.startedAt !== undefined) return undefined;
  if (queued === undefined) return `Slurm job ${jobId} was submitted.`;
  return `Slurm job ${jobId} is starting${queued.nodes === "" ? "" : ` on ${queued.nodes}`} (${queued.state}).`;
}

function waiting(
  status: ContainerStatus,
  message: string,
  reason = status.state?.waiting?.reason ?? "ContainerCreating",
): ContainerStatus {
  const { started: _started, ...rest } = status;
  return { ...rest, ready: false, started: false, state: { waiting: { reason, message } } };
}

/** A container of a job that was put back into the queue: what it did is past. */
function putBack(status: ContainerStatus, message: string): ContainerStatus {
  const { terminated } = status.state ?? {};
  return waiting({ ...status, ...(terminated && { lastState: { terminated } }) }, message);
}

/** As it was before Slurm asked the job to end, if that is what ended it. Times are RFC 3339, in whole seconds. */
function asRunning(status: ContainerStatus, held: string | undefined): ContainerStatus {
  const { startedAt, finishedAt } = status.state?.terminated ?? {};
  if (held === undefined || !startedAt || !finishedAt || finishedAt < held) return status;
  return { ...status, state: { running: { startedAt } } };
}

function endOf({ jobId, end, records }: JobKnowledge): JobEnd | undefined {
  if (end === undefined) return undefined;
  if (end === "lost") {
    return {
      reason: "SlurmJobLost",
      message: `Slurm does not know job ${jobId} any more, and the job has left no record of its end.`,
      exitCode: 137,
    };
  }
  const own = jobEnd(jobId, end);
  const told =
    end.said === undefined ? own : { ...own, message: `${own.message} It wrote: ${end.said}` };
  if (records.finishedAt !== undefined) return told;
  const hasBegun = records.startedAt !== undefined;
  if (end.state === "FAILED" && end.code === UNWRITABLE_CODE && !hasBegun) {
    const message = `Slurm job ${jobId} could not begin the pod: nothing can be written to the pod's directory from its compute node; there may be no space, or the quota is used up.`;
    return { ...told, message };
  }
  if (end.state !== "COMPLETED") return told;
  // The script ends so only when all containers have ended well, even if it could not write that down.
  if (hasBegun) return { ...told, message: `${told.message} Its last records are missing.` };
  // Nobody knows how these containers ended: a kubelet's words for it.
  return {
    reason: "ContainerStatusUnknown",
    message: `${told.message} It has left no record of having begun the pod: its compute node may not see the pod's directory, or could not write there.`,
    exitCode: 137,
  };
}

function ended(status: ContainerStatus, end: JobEnd, known: JobKnowledge): ContainerStatus {
  const { started: _started, ...rest } = status;
  const at = known.end === "lost" ? undefined : known.end?.endAt;
  const startedAt = status.state?.running?.startedAt;
  const reason = end.reason ?? (end.exitCode === 0 ? "Completed" : "Error");
  return {
    ...rest,
    ready: false,
    started: false,
    state: {
      terminated: {
        exitCode: end.exitCode,
        reason,
        message: end.message,
        ...(startedAt !== undefined && { startedAt }),
        finishedAt: known.records.finishedAt ?? rfc3339(at ?? known.now),
        ...(status.containerID !== undefined && { containerID: status.containerID }),
      },
    },
  };
}

/** Ends that are Slurm's doing fail the pod as a whole, even if its containers then ended in an orderly way. */
function failure(
  { records, deleting, end }: JobKnowledge,
  told: JobEnd | undefined,
): { reason: string; message: string } | undefined {
  if (records.failed !== undefined) return records.failed;
  if (told?.reason === undefined || deleting) return undefined;
  const isRecorded = records.finishedAt !== undefined;
  if (isRecorded && records.exitCode === 0) return undefined;
  const isOwn = end !== "lost" && (end?.state === "FAILED" || end?.state === "COMPLETED");
  if (isRecorded && (isOwn || end === "lost")) return undefined;
  return { reason: told.reason, message: told.message };
}
