import { PluginError } from "../plugin-error.ts";
import type { BatchPod } from "./contract.ts";
import { checkedPath } from "./write-batch-pod.ts";

/** What the pod is put behind, and how large the whole may be. */
export interface PackBatchPodOptions {
  /** The text of {@link batchScriptPath}, perhaps with lines of the site's before it. */
  script: string;
  /** What the resource system takes, e.g. Slurm's `max_script_size`. */
  maxBytes: number;
}

/** Of the script: what follows it are files. */
const MARK = "#interlink-files";

/**
 * The script with the pod behind it, for sites where the compute nodes do not see the plugin's file system: text without
 * NULs, files in base64. It holds the pod's secrets, so whoever writes it down does so for its user alone. Throws
 * `PluginError` `rejected` beyond `maxBytes`.
 */
export function packBatchPod(pod: BatchPod, { script, maxBytes }: PackBatchPodOptions): Uint8Array {
  const newline = script.endsWith("\n") ? "" : "\n";
  const packed = Buffer.from(`${script}${newline}${[MARK, ...packedLines(pod)].join("\n")}\n`);
  if (packed.length <= maxBytes) return packed;
  const largest = pod.files.toSorted((a, b) => b.content.length - a.content.length)[0];
  throw new PluginError(
    "rejected",
    `The pod needs a job script of ${packed.length} bytes, and this site takes at most ${maxBytes}. Its largest file is ${largest?.path ?? "none"} with ${largest?.content.length ?? 0} bytes. Make its ConfigMaps and Secrets smaller, or use a site with a shared file system.`,
  );
}

/** The pod's files as the script unpacks them: mode, path and content. */
export function packedLines({ files }: Pick<BatchPod, "files">): string[] {
  const base64 = (content: Uint8Array | string) => Buffer.from(content).toString("base64");
  return files.map(
    ({ path, mode, content }) =>
      `${mode.toString(8)} ${base64(checkedPath(path))} ${base64(content)}`,
  );
}
