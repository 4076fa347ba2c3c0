import type { RetrievedPodData } from "@interlink/protocol";
import { isSafeSegment } from "./job-paths.ts";
import type { Job } from "./job-store.ts";

/** Characters that a record may have besides the two lines that count; then it is written anew. */
export const MOST_BEHIND = 65_536;

const SUFFIX = ".json";

/** What counts of a record's text, both without an end of line. */
export interface RecordLines {
  /** The first line: what was asked. */
  readonly pod: string;
  /** The last whole line behind it: what is remembered. */
  readonly job: string;
}

/** The name of a pod's record. No other name ends like it, so a UID may hold dots, or end in `.json` itself. */
export function recordName(uid: string): string {
  return `${uid}${SUFFIX}`;
}

/** The UID whose record has this name; `undefined` if it is no record's: then the file is not ours. */
export function uidOfRecord(name: string): string | undefined {
  const uid = name.endsWith(SUFFIX) ? name.slice(0, -SUFFIX.length) : undefined;
  return isSafeSegment(uid) ? uid : undefined;
}

/** Without an end of line. */
export function podLine(data: RetrievedPodData): string {
  return JSON.stringify(data);
}

/** Without an end of line. */
export function jobLine(job: Job<unknown>): string {
  return JSON.stringify(job);
}

/** A whole record. */
export function recordText({ pod, job }: RecordLines): string {
  return `${pod}\n${job}\n`;
}

/** What counts of a text, and whether it can stay: nothing stands behind its last line, and not too much before it. */
export function recordLines(text: string): { lines: RecordLines; isTidy: boolean } {
  const end = text.indexOf("\n");
  const pod = end < 0 ? text : text.slice(0, end);
  const rest = text.slice(pod.length + 1);
  const job = lastLine(rest);
  const isTidy = rest.endsWith("\n") && rest.length - job.length <= MOST_BEHIND;
  return { lines: { pod, job }, isTidy };
}

/** The last whole line: what stands behind it was being written. Without a whole one, all of it. */
export function lastLine(text: string): string {
  const end = text.lastIndexOf("\n");
  return end < 0 ? text : text.slice(text.slice(0, end).lastIndexOf("\n") + 1, end);
}

/** What was asked, if it is of this UID. Throws an `Error` that says what is wrong. */
export function readPod(text: string, uid: string): RetrievedPodData {
  if (text === "") throw new Error("what was asked is missing");
  const data = JSON.parse(text) as RetrievedPodData | null;
  if (data?.pod?.metadata?.uid !== uid) throw new Error("it belongs to another UID");
  return data;
}
