import type { RetrievedPodData } from "@interlink/protocol";
import type { Logger } from "pino";
import { PluginError } from "../plugin-error.ts";
import type { JobStore } from "./job-store.ts";

export interface JobStoreOptions<Record> {
  /** Directory of this plugin, made with mode 0700 if it does not exist. Owned by one process at a time. */
  root: string;
  logger: Logger;
  /** The record a job starts with; also used to rebuild a damaged `job.json`. */
  newRecord(data: RetrievedPodData): Record;
  /** Checks a record read from disk; throws if it cannot be one (then the job is rebuilt). Default: taken as it is. */
  readRecord?(value: unknown): Record;
  /** Milliseconds since the epoch. */
  now?: () => number;
}

/**
 * Open the plugin's memory under `root`, reading what an earlier process left. Throws `PluginError` `conflict` when
 * another living process has it open. A file that cannot be read never fails the start: see `JobStore.quarantined`.
 */
export async function openJobStore<Record>(
  options: JobStoreOptions<Record>,
): Promise<JobStore<Record>> {
  throw new PluginError("internal", `Opening ${options.root} is not built yet.`);
}
