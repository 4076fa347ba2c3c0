import type { JobDetails } from "../slurm/job-details.ts";

/** The plugin's own part of a job's file. Plain JSON. */
export interface SlurmRecord {
  schemaVersion: 1;
  /** As whom the job runs, if not as the plugin's user. */
  user?: { uid: number; name: string };
  /** It was submitted so that it waits for images to be pulled here, and has not been released yet. */
  held?: true;
  /** sbatch has refused it in these words; it is not submitted again unless it is asked for. */
  refused?: string;
  /** How the job ended; Slurm is not asked any more. */
  end?: JobDetails | "lost";
  /** The pod is to go. Milliseconds since the epoch. */
  deletion?: { requestedAt: number; graceSeconds: number };
}

/** Of a pod that has just been written down. */
export const EMPTY_RECORD: SlurmRecord = { schemaVersion: 1 };

/** Throws an `Error` for what cannot be one. */
export function readSlurmRecord(value: unknown): SlurmRecord {
  const record = value as Partial<SlurmRecord> | null;
  if (typeof record !== "object" || record?.schemaVersion !== 1) {
    throw new Error("its record is not one of the Slurm plugin");
  }
  return record as SlurmRecord;
}
