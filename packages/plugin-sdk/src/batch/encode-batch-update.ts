import type { BatchPod } from "./contract.ts";
import { packedLines } from "./pack-batch-pod.ts";

/** What the script is told of a pod that has changed: words behind `SCRIPT DIRECTORY`, and its stdin, which holds secrets. */
export interface BatchUpdate {
  words: readonly string[];
  input: Uint8Array;
}

/**
 * Brings a pod on a shared file system to what it is now, as `BatchPod` of what a create would carry: run by the job's user on
 * any machine that sees the pod's directory, before the job begins or while it runs, one update at a time. Volumes of files change
 * at once, under whoever has them mounted; `subPath` mounts keep what they have. Environments and images count for
 * containers that start later; a container of another image is started anew, ephemeral containers that are new are started. The
 * script ends with 0 when all is in place and says `changed` when the job has to look: it does within ten seconds, at once
 * when its process gets SIGURG.
 */
export function encodeBatchUpdate(pod: BatchPod): BatchUpdate {
  const lines = [...packedLines(pod), "#end"];
  return {
    words: ["update", pod.version ?? ""],
    input: Buffer.from(`${lines.join("\n")}\n`),
  };
}
