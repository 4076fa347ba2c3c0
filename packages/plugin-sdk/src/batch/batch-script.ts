import { fileURLToPath } from "node:url";

/**
 * Absolute path of the script that runs a pod on the compute node: `bash -p batch-pod.sh DIRECTORY`. DIRECTORY is what
 * `writeBatchPod` has written, or where a packed script is to leave its records, logs and attempts.
 *
 * On the same machine, `bash -p batch-pod.sh DIRECTORY exec CONTAINER COMMAND…` becomes the command in the container's
 * present attempt, with stdin and stdout as they are; exit code 126 and a line on stderr when it is not running.
 *
 * SIGTERM to the script's own process ends the pod: hooks, stop signals, SIGKILL after the grace (the pod's, or what
 * `writeBatchGrace` has written). Whoever signals all of
 * the job's processes at once takes the hooks' time from them.
 */
export function batchScriptPath(): string {
  return fileURLToPath(new URL("../../runner/batch-pod.sh", import.meta.url));
}
