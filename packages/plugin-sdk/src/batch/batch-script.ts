import { fileURLToPath } from "node:url";

/**
 * Absolute path of the script that runs a pod on the compute node: `bash -p batch-pod.sh DIRECTORY`. DIRECTORY is what
 * `writeBatchPod` has written, or where a packed script is to leave its records, logs and attempts.
 */
export function batchScriptPath(): string {
  return fileURLToPath(new URL("../../runner/batch-pod.sh", import.meta.url));
}
