/** What a state of Slurm means for a pod. */
export type JobStage =
  /** The job's script does not run yet, or not any more and will again. */
  | "waiting"
  /** The script runs, or is held. */
  | "running"
  /** The script has ended; Slurm is clearing up. */
  | "ending"
  /** Nothing of it runs any more. */
  | "ended"
  /** A word that this plugin does not know: never taken for an end. */
  | "unknown";

/** All states of Slurm, 20.11 to current, with their short codes (slurm.h `job_states`, squeue manual). */
const STATES: Readonly<Record<string, readonly [code: string, stage: JobStage]>> = {
  BOOT_FAIL: ["BF", "ended"],
  CANCELLED: ["CA", "ended"],
  COMPLETED: ["CD", "ended"],
  COMPLETING: ["CG", "ending"],
  CONFIGURING: ["CF", "waiting"],
  DEADLINE: ["DL", "ended"],
  EXPEDITING: ["EX", "waiting"],
  FAILED: ["F", "ended"],
  LAUNCH_FAILED: ["LF", "ended"],
  NODE_FAIL: ["NF", "ended"],
  OUT_OF_MEMORY: ["OOM", "ended"],
  PENDING: ["PD", "waiting"],
  POWER_UP_NODE: ["PU", "waiting"],
  PREEMPTED: ["PR", "ended"],
  RECONFIG_FAIL: ["RC", "ended"],
  REQUEUED: ["RQ", "waiting"],
  REQUEUE_FED: ["RF", "waiting"],
  REQUEUE_HOLD: ["RH", "waiting"],
  RESIZING: ["RS", "running"],
  RESV_DEL_HOLD: ["RD", "waiting"],
  REVOKED: ["RV", "ended"],
  RUNNING: ["R", "running"],
  SIGNALING: ["SI", "running"],
  SPECIAL_EXIT: ["SE", "waiting"],
  STAGE_OUT: ["SO", "ending"],
  STOPPED: ["ST", "running"],
  SUSPENDED: ["S", "running"],
  TIMEOUT: ["TO", "ended"],
  UPDATE_DB: ["UD", "ending"],
};
const BY_CODE = new Map(Object.entries(STATES).map(([name, [code]]) => [code, name]));

/**
 * The full name of a state as squeue, scontrol or sacct writes it: full or short, any letter case, with what sacct
 * appends (`CANCELLED by 1000`, `CANCELLED+`).
 */
export function stateName(text: string): string {
  const [word = ""] = text.trim().toUpperCase().split(/[\s+]/);
  return BY_CODE.get(word) ?? word;
}

/** What the state (see {@link stateName}) means. */
export function jobStage(state: string): JobStage {
  return Object.hasOwn(STATES, state) ? (STATES[state]?.[1] ?? "unknown") : "unknown";
}

/** The end of a job as a pod's owner is told it. */
export interface JobEnd {
  /** Of the pod or of a container that has no record of its own; `undefined`: Slurm saw nothing unusual. */
  reason?: string;
  message: string;
  /** Of containers without a record of their own. */
  exitCode: number;
}

/** What Slurm tells of a job's end. `code` and `signal` are of the batch script, if known. */
export interface EndFacts {
  state: string;
  code?: number;
  signal?: number;
  /** Slurm's own word for it, e.g. `NodeFailure`. */
  reason?: string;
  /** Who cancelled it: a name or a number, where accounting knows. */
  cancelledBy?: string;
  node?: string;
}

/** No signal: what slurmstepd tells when it could not open a job's output (`ESLURMD_IO_ERROR` cut to what fits). */
const OUTPUT_SIGNAL = 53;

/** How an ended job is told to the pod's owner (issue: every Slurm job state mapped). */
export function jobEnd(jobId: string, facts: EndFacts): JobEnd {
  const { state, code, signal, node, cancelledBy } = facts;
  const job = `Slurm job ${jobId}`;
  const on = node === undefined || node === "" ? "" : ` on ${node}`;
  const own = facts.reason ?? "";
  const why = own === "" || own === "None" ? "" : ` (${own})`;
  switch (state) {
    case "COMPLETED":
      return { message: `${job} has completed.`, exitCode: 0 };
    case "TIMEOUT":
      return {
        reason: "DeadlineExceeded",
        message: `${job} reached its time limit${on} and was ended by Slurm (TIMEOUT).`,
        exitCode: 137,
      };
    case "DEADLINE":
      return {
        reason: "DeadlineExceeded",
        message: `${job} could not have ended before its deadline and was ended by Slurm (DEADLINE).`,
        exitCode: 137,
      };
    case "OUT_OF_MEMORY":
      return {
        reason: "OOMKilled",
        message: `${job} used more memory than it asked for${on} (OUT_OF_MEMORY).`,
        exitCode: 137,
      };
    case "PREEMPTED":
      return {
        reason: "Preempted",
        message: `${job} was preempted by Slurm for another job (PREEMPTED).`,
        exitCode: 143,
      };
    case "NODE_FAIL":
    case "BOOT_FAIL":
      return {
        reason: "NodeLost",
        message: `${job} ended because its compute node failed${on} (${state})${why}.`,
        exitCode: 137,
      };
    case "CANCELLED":
    case "REVOKED":
      return {
        reason: "Cancelled",
        message: `${job} was cancelled${cancelledBy ? ` by ${cancelledBy}` : ""} (${state})${why}.`,
        exitCode: 143,
      };
    default: {
      if (signal === OUTPUT_SIGNAL) {
        return {
          reason: "SlurmJobFailed",
          message: `${job} could not begin${on}: Slurm could not open the job's output in the pod's directory; there may be no space left, the quota may be used up, or the compute node does not see the directory (${state}, signal ${signal}).`,
          exitCode: 128,
        };
      }
      const how =
        signal !== undefined && signal > 0
          ? `, its script by signal ${signal}`
          : code === undefined
            ? ""
            : `, its script with exit code ${code}`;
      return {
        reason: "SlurmJobFailed",
        message: `${job} has ended${on} with the state ${state}${how}${why}.`,
        exitCode: signal ? 128 + signal : code || 1,
      };
    }
  }
}
