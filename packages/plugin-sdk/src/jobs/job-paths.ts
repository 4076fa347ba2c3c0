import { join } from "node:path";
import { PluginError } from "../plugin-error.ts";

/** Where the files of one pod lie. All absolute. */
export interface JobPaths {
  /** Mode 0700. */
  readonly directory: string;
  /** For `prepareVolumes`. */
  readonly volumes: string;
  readonly logs: string;
  readonly containers: string;
  /** Of one attempt of a container: its raw log. Its timeline lies beside it, see `timelineFile`. */
  log(container: string, attempt: number): string;
  /** Of one attempt of a container, for the runtime's own files. Not made by the store. */
  container(container: string, attempt: number): string;
}

/** The paths of the job in `directory`. */
export function jobPaths(directory: string): JobPaths {
  const logs = join(directory, "logs");
  const containers = join(directory, "containers");
  return {
    directory,
    volumes: join(directory, "volumes"),
    logs,
    containers,
    log: (container, attempt) =>
      join(logs, `${safeSegment("container name", container)}-${attempt}.log`),
    container: (container, attempt) =>
      join(containers, safeSegment("container name", container), String(attempt)),
  };
}

const SEGMENT = /^[A-Za-z0-9](?:[A-Za-z0-9._-]{0,251}[A-Za-z0-9])?$/;

/**
 * The text itself if it can safely name a file or directory on any file system: letters, digits, `.`, `_`, `-`, with a
 * letter or digit at both ends. Throws `PluginError` `invalid` otherwise. `what` names it in the message.
 */
export function safeSegment(what: string, text: unknown): string {
  if (isSafeSegment(text)) return text;
  throw new PluginError(
    "invalid",
    `The ${what} ${JSON.stringify(text)?.slice(0, 80)} cannot be used: it must be 1 to 253 letters, digits, "-", "." or "_".`,
  );
}

/** Whether {@link safeSegment} takes it. */
export function isSafeSegment(text: unknown): text is string {
  return typeof text === "string" && SEGMENT.test(text);
}
