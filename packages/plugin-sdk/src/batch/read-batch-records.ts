import { constants } from "node:fs";
import { open } from "node:fs/promises";
import { join } from "node:path";
import { PluginError } from "../plugin-error.ts";
import { type PlannedPod, planPod } from "../supervisor/planned-pod.ts";
import { podStatus, rfc3339 } from "../supervisor/pod-status.ts";
import type { BatchPod, BatchRecords } from "./contract.ts";
import { foldRecords } from "./fold-records.ts";

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
  { now = Date.now(), runtimeType = "batch" }: ReadBatchRecordsOptions = {},
): Promise<BatchRecords> {
  const plan = planOf(pod);
  const text = await readRecords(join(directory, RECORDS_FILE));
  const { record, events, startedAt, finishedAt, hostName, exitCode } = foldRecords(text, plan);
  const context = { runtimeType, jobId: "", probes: new Map(), now, revision: 0 };
  const { containers, initContainers } = podStatus(plan, record, context);
  return {
    ...(startedAt !== undefined && { startedAt: rfc3339(startedAt) }),
    ...(finishedAt !== undefined && { finishedAt: rfc3339(finishedAt) }),
    ...(hostName !== undefined && { hostName }),
    containers,
    initContainers,
    events,
    ...(exitCode !== undefined && { exitCode }),
    ...(record.failed && { failed: { ...record.failed } }),
  };
}

function planOf({ pod, containers }: Pick<BatchPod, "containers" | "pod">): PlannedPod {
  if (pod !== undefined) return planPod(pod);
  const isInit = (kind: string) => kind !== "regular";
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
        .filter(({ kind }) => !isInit(kind))
        .map(({ name, image }) => ({ name, image })),
    },
  });
}

/** The directory is the job's user's, who may have put anything there: no links, no pipes. */
async function readRecords(path: string): Promise<string> {
  const { O_RDONLY, O_NOFOLLOW, O_NONBLOCK } = constants;
  try {
    const file = await open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
    try {
      const stat = await file.stat();
      if (!stat.isFile() || stat.size > MOST_BYTES) throw notRecords();
      return await file.readFile("utf8");
    } finally {
      await file.close();
    }
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT") return "";
    if (error instanceof PluginError) throw error;
    if (code === "ELOOP") throw notRecords();
    throw new PluginError(
      "unavailable",
      `The job's records cannot be read now (${code ?? "unknown error"}).`,
      { cause: error },
    );
  }
}

function notRecords(): PluginError {
  return new PluginError(
    "internal",
    `The job's records are no file of at most ${MOST_BYTES} bytes; something else than the job has put them there.`,
  );
}
