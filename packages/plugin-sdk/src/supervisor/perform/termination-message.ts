import { open } from "node:fs/promises";
import type { Container } from "kubernetes-types/core/v1.js";

/** Kubernetes `pkg/kubelet/kuberuntime`: 4096 bytes a container, 12 KiB a pod; from logs 2048 bytes or 80 lines. */
const MAX_BYTES = 4096;
const MAX_POD_BYTES = 12 * 1024;
const MAX_LOG_BYTES = 2048;
const MAX_LOG_LINES = 80;

/** As many bytes of message as one of a pod's `containers` containers may have. */
export function messageLimit(containers: number): number {
  return Math.min(MAX_BYTES, Math.trunc(MAX_POD_BYTES / Math.max(1, containers)));
}

/**
 * What an ended container wanted to say. `readLogTail` gives the last lines of its log, for
 * `terminationMessagePolicy: FallbackToLogsOnError` with an empty file. A file that is not there is an empty one.
 */
export async function terminationMessage(
  container: Container,
  exitCode: number,
  file: string,
  limit: number,
  readLogTail: (options: { tailLines: number; maxBytes: number }) => Promise<Buffer>,
): Promise<string> {
  const text = await readStart(file, limit);
  if (text.length > 0) return text.toString("utf8");
  if (container.terminationMessagePolicy !== "FallbackToLogsOnError" || exitCode === 0) return "";
  const maxBytes = Math.min(limit, MAX_LOG_BYTES);
  const tail = await readLogTail({ tailLines: MAX_LOG_LINES, maxBytes });
  return tail.subarray(-maxBytes).toString("utf8");
}

async function readStart(path: string, bytes: number): Promise<Buffer> {
  try {
    const file = await open(path, "r");
    try {
      const { buffer, bytesRead } = await file.read(Buffer.alloc(bytes), 0, bytes, 0);
      return buffer.subarray(0, bytesRead);
    } finally {
      await file.close();
    }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return Buffer.alloc(0);
    throw error;
  }
}
