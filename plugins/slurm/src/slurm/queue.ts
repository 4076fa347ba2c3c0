import { type JobStage, jobStage, stateName } from "./job-state.ts";
import { SlurmOutputError } from "./slurm-output-error.ts";
import { slurmTime } from "./slurm-time.ts";

/** One job as squeue tells it. Times are milliseconds since the epoch. */
export interface QueuedJob {
  id: string;
  state: string;
  stage: JobStage;
  /** Why it waits, or how it ended. */
  reason: string;
  /** When it began; of a waiting job, when it is expected to. */
  startAt?: number;
  /** When it ended; of a running job, when its limit is reached. */
  endAt?: number;
  /** As Slurm writes lists of nodes, e.g. `n[1-4]`; empty before the start. */
  nodes: string;
  comment: string;
}

const FIELDS = 7;

/**
 * One question for all jobs of these users, also those that ended a short while ago. `mark` begins each line: whoever
 * can write a comment cannot know it, so no comment can pretend to be another job.
 *
 * Letters instead of names, and no widths: understood by every Slurm, and nothing is cut off.
 */
export function queueArguments(mark: string, users: readonly string[]): string[] {
  return [
    "--noheader",
    "--all",
    "--states=all",
    `--user=${users.join(",")}`,
    `--format=${mark}|%i|%T|%r|%S|%e|%N|%k`,
  ];
}

/** Reads what squeue wrote for {@link queueArguments}. Throws {@link SlurmOutputError} for what is not that. */
export function parseQueue(output: string, mark: string): QueuedJob[] {
  const start = `${mark}|`;
  if (output !== "" && !output.startsWith(start)) {
    throw new SlurmOutputError("squeue", "something else than jobs", output);
  }
  if (output !== "" && !output.endsWith("\n")) {
    throw new SlurmOutputError("squeue", "half a line at its end", output.slice(-200));
  }
  return output
    .split(start)
    .slice(1)
    .map((record) => parseJob(record.replace(/\n$/, "")));
}

function parseJob(record: string): QueuedJob {
  const parts = record.split("|");
  const [id = "", written = "", reason = "", from = "", to = "", nodes = ""] = parts;
  if (parts.length < FIELDS || !/^\d+(?:[_+].*)?$/.test(id) || written === "") {
    throw new SlurmOutputError("squeue", "a job that cannot be read", record);
  }
  const state = stateName(written);
  const startAt = slurmTime(from);
  const endAt = slurmTime(to);
  return {
    id,
    state,
    stage: jobStage(state),
    reason,
    ...(startAt !== undefined && { startAt }),
    ...(endAt !== undefined && { endAt }),
    nodes,
    comment: parts.slice(FIELDS - 1).join("|"),
  };
}
