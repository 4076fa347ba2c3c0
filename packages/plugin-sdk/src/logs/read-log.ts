import { PluginError } from "../plugin-error.ts";
import type { RuntimeLogOptions } from "../runtime/container-runtime.ts";

/** What surrounds the reading of a log. */
export interface ReadLogContext {
  /** Ends the reading, without an error. */
  signal: AbortSignal;
  /** Whether the container has ended, so that nothing more will be written. Asked only when following. */
  ended(): boolean | Promise<boolean>;
  /** Milliseconds since the epoch, for lines that are seen before their time is recorded. */
  now?: () => number;
}

/**
 * The log in `file` (one attempt of one container, raw bytes, append-only) with Kubernetes' filters, in the kubelet's
 * order: the last `tailLines` lines, of these the ones since `sinceTime`, of these `limitBytes` bytes including
 * timestamps (kubelet-contract 6.3). A file that does not exist is an empty log, or one to wait for when following.
 */
export function readLog(
  file: string,
  _options: RuntimeLogOptions,
  _context: ReadLogContext,
): AsyncIterable<Uint8Array> {
  throw new PluginError("internal", `Reading ${file} is not built yet.`);
}
