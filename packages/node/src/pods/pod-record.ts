import type { RemotePodStatus } from "@interlink/protocol";
import type { Pod, PodSpec } from "kubernetes-types/core/v1.js";
import type { RemoteSite } from "../remote/remote-site.ts";
import { hasStarted, isTerminalPhase } from "../status/phase.ts";
import { hasEndedByItself, type PodStatusContext, type PodVerdict } from "../status/pod-status.ts";
import { saysItHasJob } from "./job-annotations.ts";
import type { JobState, PodFacts, Step } from "./next-step.ts";
import type { SentContent } from "./sent-content.ts";
import { offersEphemeral } from "./site-request.ts";

/** All that is known about one pod, by UID. Changed only by the pod machinery. Times are of one monotonic clock. */
export interface PodRecord {
  readonly uid: string;
  /** The newest object; after it vanished, its last state. */
  pod: Pod;
  absent: boolean;
  /** What the pod names must not be read older than this. */
  freshFrom: number;
  job: JobState;
  /** The site's name for the job, once it has said it. */
  jobId?: string;
  /** When the site accepted the create. */
  createdAt?: number;
  /** A create may still be on its way until then, though its call has failed. */
  unsureUntil?: number;
  remote?: RemotePodStatus;
  /** When the question was put, or the record came, that `remote` answers. */
  heardAt: number;
  /** The site did not know the job, so many times; it is asked again then. */
  unknown?: { times: number; recheckAt: number };
  accepted?: { at: number; grace: number };
  verdict?: PodVerdict;
  /** The spec as it was when its edits were judged last. */
  judged?: PodSpec;
  /** It seemed to have no room on this node when it was first seen; not decided yet. */
  unplaced?: boolean;
  /** `activeDeadlineSeconds` is over: the job must end. */
  deadlinePassed?: boolean;
  waiting?: ReadonlyMap<string, { reason: string; message: string }>;
  /** Stops the watches of objects that the pod waits for. */
  unwatch?: () => void;
  /** What the site was sent last in this life of the node, for updates of the running pod. */
  sent?: SentContent;
  /** Tries in a row of one kind of step, and when the next may be made. */
  retry?: { step: Step["do"]; failures: number; at: number };
  /** A status patch that the API server refused as invalid, or would keep nothing of: not sent again as it is. */
  uselessPatch?: string;
}

const POD_IP_ANNOTATION = "interlink.eu/pod-ip";

/** A new record. `atStart`: the pod was there before this process, so an earlier life may have created its job. */
export function newRecord(pod: Pod, atStart: boolean, now: number): PodRecord {
  const record: PodRecord = {
    uid: pod.metadata?.uid ?? "",
    pod,
    absent: false,
    freshFrom: now,
    job: "none",
    heardAt: Number.NEGATIVE_INFINITY,
  };
  if (isTerminalPhase(pod.status?.phase)) record.job = "maybe";
  else if (hadJob(pod)) {
    // It must be there; if the site does not know it, it is lost, never created again.
    record.job = "there";
    record.unknown = { times: 0, recheckAt: now };
  } else if (atStart) record.job = "maybe";
  return record;
}

/** Whether the pod itself shows that its job was created before. */
function hadJob(pod: Pod): boolean {
  const { status } = pod;
  const started = [...(status?.containerStatuses ?? []), ...(status?.initContainerStatuses ?? [])];
  if (started.some(hasStarted)) return true;
  return saysItHasJob(pod);
}

/** Whether the pod is to go, or its time is over: nothing of it is to be started any more. */
export function isEnding({ absent, pod, deadlinePassed }: PodRecord): boolean {
  return absent || pod.metadata?.deletionTimestamp !== undefined || deadlinePassed === true;
}

/** Seconds that the pod's containers get to stop; at least 1, as in a kubelet. */
export function graceSeconds(pod: Pod): number {
  const grace =
    pod.metadata?.deletionGracePeriodSeconds ?? pod.spec?.terminationGracePeriodSeconds ?? 30;
  return Math.max(1, grace);
}

/** Whether the site told that every container of the pod has ended. */
export function allEnded(record: PodRecord): boolean {
  const { remote, pod } = record;
  if (!remote || remote.containers.length === 0) return false;
  const ended = (name: string) =>
    remote.containers.some((one) => one.name === name && one.state?.terminated);
  return (
    (pod.spec?.containers ?? []).every(({ name }) => ended(name)) &&
    [...remote.containers, ...remote.initContainers].every(({ state }) => state?.terminated) &&
    // One that never began does not begin any more.
    (remote.extension?.ephemeralContainers ?? []).every(({ state }) => !state?.running)
  );
}

/**
 * Milliseconds until `activeDeadlineSeconds` is over; it counts from the status' start time. Undefined when it does not
 * matter, because the pod has ended, or fails for another reason already.
 */
export function deadlineInMs(record: PodRecord, wallMs: number): number | undefined {
  const { pod, verdict, absent } = record;
  if (verdict || absent || isTerminalPhase(pod.status?.phase) || allEnded(record)) return undefined;
  const seconds = pod.spec?.activeDeadlineSeconds;
  const start = pod.status?.startTime;
  if (seconds === undefined || !start) return undefined;
  return Date.parse(start) + seconds * 1000 - wallMs;
}

export function factsOf(record: PodRecord, wallMs: number): PodFacts {
  const { pod, accepted } = record;
  const endedByOthers = isEndedByOthers(record, wallMs);
  const terminal = isTerminalPhase(pod.status?.phase);
  return {
    object: record.absent ? "absent" : pod.metadata?.deletionTimestamp ? "terminating" : "alive",
    terminal,
    job: record.job,
    doomed: record.deadlinePassed === true ? !terminal : endedByOthers,
    grace: graceSeconds(pod),
    acceptedGrace: accepted?.grace,
    stopped: isStopped(record, terminal && !endedByOthers),
    recheckAt: record.unknown?.recheckAt,
    retry: record.retry,
    deadlineInMs: deadlineInMs(record, wallMs),
  };
}

/**
 * Whether somebody else wrote a terminal phase into the API while the pod's job goes on. That phase is for ever, and
 * controllers replace the pod: its job must end too, as it does under a kubelet (kubelet-contract.md 3.10, 7.J).
 */
function isEndedByOthers({ pod, remote, job, verdict }: PodRecord, wallMs: number): boolean {
  if (!isTerminalPhase(pod.status?.phase) || verdict || job === "over") return false;
  if (remote) return !hasEndedByItself(pod, remote, new Date(wallMs));
  const { containerStatuses = [], initContainerStatuses = [] } = pod.status ?? {};
  return [...containerStatuses, ...initContainerStatuses].some(({ state }) => state?.running);
}

/** A pod that ended by itself is not started again; any other must be told to have ended after the delete. */
function isStopped(record: PodRecord, endedByItself: boolean): boolean {
  const { accepted, remote, heardAt } = record;
  if (!accepted) return false;
  if (endedByItself) return true;
  return allEnded(record) && (heardAt > accepted.at || remote?.extension?.deleting === true);
}

export function statusContext(
  record: PodRecord,
  facts: PodFacts,
  hostIP: string | undefined,
  site: Pick<RemoteSite, "capabilities">,
): PodStatusContext {
  const ending = facts.object !== "alive" || record.verdict !== undefined;
  const annotated = record.pod.metadata?.annotations?.[POD_IP_ANNOTATION];
  return {
    hostIP,
    allStopped:
      facts.job === "over" ||
      facts.job === "refused" ||
      facts.stopped ||
      (facts.job === "none" && ending),
    verdict: record.verdict,
    ephemeralContainers: offersEphemeral(site.capabilities),
    waiting: record.waiting,
    podIPs: annotated ? [annotated] : [],
  };
}
