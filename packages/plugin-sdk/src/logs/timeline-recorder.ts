import type { Logger } from "pino";
import { PluginError } from "../plugin-error.ts";

/** Remembers when the bytes of growing log files were seen, so that timestamps and `sinceTime` work on raw files. */
export interface TimelineRecorder extends AsyncDisposable {
  /** Start recording `file` (may not exist yet) into its timeline. Idempotent. */
  watch(file: string): void;
  /** Record what has been written up to now, then stop. Unknown file: resolves. */
  unwatch(file: string): Promise<void>;
  close(): Promise<void>;
}

/** Where the timeline of a log file lies: beside it. */
export function timelineFile(logFile: string): string {
  return `${logFile}.times`;
}

export interface TimelineRecorderOptions {
  /** Milliseconds since the epoch. */
  now?: () => number;
  logger?: Logger;
}

export function createTimelineRecorder(_options: TimelineRecorderOptions): TimelineRecorder {
  throw new PluginError("internal", "The timeline recorder is not built yet.");
}
