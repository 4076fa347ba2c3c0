import type { BatchEvent, BatchRecords } from "@interlink/plugin-sdk";
import type { RemotePodStatus } from "@interlink/protocol";
import type { Pod } from "kubernetes-types/core/v1.js";
import { slurmPodStatus } from "../pods/pod-status.ts";
import type { JobDetails } from "../slurm/job-details.ts";
import type { QueuedJob } from "../slurm/queue.ts";
import type { SlurmRecord } from "./slurm-record.ts";

/** What is known of one pod's job while this process lives. Times are milliseconds since the epoch. */
export class PodJob {
  readonly uid: string;
  #pod: Pod;
  jobId: string | undefined;
  record: SlurmRecord;
  deleting = false;
  /** As Slurm told it last, and when it was asked. */
  queued: QueuedJob | undefined;
  queuedAt = 0;
  /** Slurm said that it ended; the records may still be on their way. */
  ending: { details: JobDetails; seenAt: number } | undefined;
  /** Its end is being written down. */
  isFinishing = false;
  /** Answers of Slurm in a row that did not have it, the first of which was asked after it was submitted. */
  missing = 0;
  /** Of the records that were read last. */
  stamp = "";
  records: BatchRecords | undefined;
  /** When they were seen to have changed. */
  recordsAt = 0;
  /** Why they could not be read the last time. */
  unreadable: string | undefined;
  /** Of a held job: what its images do. */
  pulling: { reason: string; message: string } | undefined;
  /** The submission under way; never rejects without being awaited. */
  submission: Promise<string> | undefined;
  /** When the last submission was over; Slurm's answers from before say nothing about it. */
  submittedAt: number;
  sent: { terminate?: number; kill?: number; cancel?: number } = {};
  /** A step of its delete is under way. */
  isBusy = false;
  /** After steps that failed, the next comes no sooner. */
  restsUntil = 0;
  failedSteps = 0;
  readonly #told = new Set<string>();
  /** Of which records. */
  #heard: BatchRecords | undefined;
  #status: RemotePodStatus | undefined;
  /** What the status was put together from: values, or things that are exchanged as a whole. */
  #known: readonly unknown[] = [];
  #revision = 0;

  constructor(pod: Pod, record: SlurmRecord, jobId: string | undefined, submittedAt: number) {
    this.uid = pod.metadata?.uid ?? "";
    this.#pod = pod;
    this.record = record;
    this.jobId = jobId;
    this.submittedAt = submittedAt;
  }

  /** As it was created, with what updates have changed since. */
  get pod(): Pod {
    return this.#pod;
  }

  /** An update has come; the records are to be read anew, as they are told by what the pod is. */
  exchangePod(pod: Pod): void {
    this.#pod = pod;
    this.stamp = "-";
  }

  /** What every log line about it says. */
  get about(): { uid: string; pod: string; job?: string } {
    const { name, namespace } = this.pod.metadata ?? {};
    const job = this.jobId === undefined ? {} : { job: this.jobId };
    return { uid: this.uid, pod: `${namespace}/${name}`, ...job };
  }

  /** Slurm has nothing more to say about it. */
  get isOver(): boolean {
    return this.record.end !== undefined;
  }

  /** sbatch has refused it: there is no job, and there will be none. */
  get isRefused(): boolean {
    return this.record.refused !== undefined && this.jobId === undefined;
  }

  get status(): RemotePodStatus | undefined {
    return this.#status;
  }

  /** Puts together the status anew; gives it if it has changed. */
  refresh(now: number): RemotePodStatus | undefined {
    const { record, records } = this;
    if (records === undefined) return undefined;
    // A job that has begun since Slurm was asked does not wait any more; one put back into the queue does.
    const isStale =
      this.queued?.stage === "waiting" &&
      records.startedAt !== undefined &&
      this.queuedAt <= this.recordsAt;
    const queued = isStale ? undefined : this.queued;
    const { state, stage, reason, nodes } = queued ?? {};
    const { pod, jobId, pulling, deleting } = this;
    const known = [pod, jobId, records, pulling, deleting, record.end, state, stage, reason, nodes];
    // All jobs come here each time that Slurm is asked, and next to none has changed.
    if (known.every((one, index) => one === this.#known[index])) return undefined;
    this.#known = known;
    const next = slurmPodStatus({
      pod: this.pod,
      jobId: this.jobId ?? "",
      records,
      ...(queued && { queued }),
      ...(this.pulling && { pulling: this.pulling }),
      ...(record.end !== undefined && { end: record.end }),
      deleting: this.deleting,
      revision: this.#revision,
      now: this.ending?.seenAt ?? now,
    });
    if (JSON.stringify(next) === JSON.stringify(this.#status)) return undefined;
    this.#revision++;
    this.#status = { ...next, extension: { ...next.extension, revision: this.#revision } };
    return this.#status;
  }

  /** Events that were not told before. `isOld`: they are of an earlier life, and only remembered. */
  newEvents(isOld = false): BatchEvent[] {
    if (this.records === this.#heard) return [];
    this.#heard = this.records;
    const events = this.records?.events ?? [];
    const fresh = events.filter((event) => !this.#told.has(JSON.stringify(event)));
    // Only what the records still tell can come again.
    this.#told.clear();
    for (const event of events) this.#told.add(JSON.stringify(event));
    return isOld ? [] : fresh;
  }
}
