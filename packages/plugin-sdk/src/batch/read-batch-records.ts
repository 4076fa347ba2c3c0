import { join } from "node:path";
import type { ContainerStatus } from "kubernetes-types/core/v1.js";
import { type PlannedPod, planPod } from "../supervisor/planned-pod.ts";
import { podStatus, rfc3339 } from "../supervisor/pod-status.ts";
import { containerRecord, isLost, type PodRecord } from "../supervisor/record.ts";
import type { BatchPod, BatchRecords } from "./contract.ts";
import { foldRecords } from "./fold-records.ts";
import { readPlainFile } from "./plain-file.ts";

/** What the records do not say themselves. */
export interface ReadBatchRecordsOptions {
  /** Milliseconds since the epoch. */
  now?: number;
  /** Before `://` in each `containerID`. */
  runtimeType?: string;
}

/** A pod that restarts and fails its probes all day writes some hundred KiB. */
const MOST_BYTES = 16 * 1024 * 1024;
const RECORDS_FILE = "records";

/**
 * What a job has recorded so far in `directory`; no file means that nothing has happened yet. One file tells it all, and
 * grows with every change. Throws `PluginError` `unavailable` when it cannot be read now, `internal` when it is something
 * else than the file that the script writes.
 */
export async function readBatchRecords(
  directory: string,
  pod: Pick<BatchPod, "containers" | "pod">,
  options: ReadBatchRecordsOptions = {},
): Promise<BatchRecords> {
  const file = join(directory, RECORDS_FILE);
  const text = await readPlainFile(file, "The job's records", MOST_BYTES);
  return recordsOf(text ?? "", pod, options);
}

/** What there is of a job that has not begun. */
export function noBatchRecords(
  pod: Pick<BatchPod, "containers" | "pod">,
  options: ReadBatchRecordsOptions = {},
): BatchRecords {
  return recordsOf("", pod, options);
}

function recordsOf(
  text: string,
  pod: Pick<BatchPod, "containers" | "pod">,
  { now = Date.now(), runtimeType = "batch" }: ReadBatchRecordsOptions,
): BatchRecords {
  const plan = planOf(pod);
  const { record, events, startedAt, finishedAt, hostName, exitCode } = foldRecords(text, plan);
  const context = { runtimeType, jobId: "", probes: new Map(), now, revision: 0 };
  const { containers, initContainers, extension } = podStatus(plan, record, context);
  const { ephemeralContainers } = extension ?? {};
  return {
    ...(startedAt !== undefined && { startedAt: rfc3339(startedAt) }),
    ...(finishedAt !== undefined && { finishedAt: rfc3339(finishedAt) }),
    ...(record.deletion && { askedToEndAt: rfc3339(record.deletion.requestedAt) }),
    ...(hostName !== undefined && { hostName }),
    containers: containers.map((status) => begunAnew(status, record)),
    initContainers: initContainers.map((status) => begunAnew(status, record)),
    ...(ephemeralContainers && { ephemeralContainers }),
    events,
    ...(exitCode !== undefined && { exitCode }),
    ...(record.failed && { failed: { ...record.failed } }),
  };
}

/**
 * Of a job that was put back into the queue and runs again: a container that ended before, and has not begun anew yet, will
 * do so, whatever its policy.
 */
function begunAnew(status: ContainerStatus, record: PodRecord): ContainerStatus {
  const { current } = containerRecord(record, status.name);
  const { terminated } = status.state ?? {};
  if (terminated === undefined || current === undefined) return status;
  if (!isLost(record, status.name, current)) return status;
  const { started: _started, ...rest } = status;
  const waiting = { reason: "ContainerCreating" };
  return { ...rest, ready: false, started: false, state: { waiting }, lastState: { terminated } };
}

function planOf({ pod, containers }: Pick<BatchPod, "containers" | "pod">): PlannedPod {
  if (pod !== undefined) return planPod(pod);
  const isInit = (kind: string) => kind === "init" || kind === "sidecar";
  return planPod({
    spec: {
      initContainers: containers
        .filter(({ kind }) => isInit(kind))
        .map(({ name, image, kind }) => ({
          name,
          image,
          ...(kind === "sidecar" && { restartPolicy: "Always" }),
        })),
      containers: containers
        .filter(({ kind }) => kind === "regular")
        .map(({ name, image }) => ({ name, image })),
      ephemeralContainers: containers
        .filter(({ kind }) => kind === "ephemeral")
        .map(({ name, image }) => ({ name, image })),
    },
  });
}
