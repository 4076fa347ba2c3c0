import { type ProcessEnd, writeProcessEnd } from "@interlink/protocol";
import type { CommandVersion } from "./protocols.ts";

/**
 * What the error stream says when the process is over. Version 4: always a Status. Before: nothing after a success, a
 * sentence after a failure, which is all that such clients can show (kubelet-contract 6.4).
 */
export function endMessage(end: ProcessEnd, version: CommandVersion): string {
  if (version === 4) return writeProcessEnd(inRange(end));
  if ("exitCode" in end && end.exitCode === 0) return "";
  const words =
    "error" in end
      ? end.error
      : `command terminated with non-zero exit code: exit status ${end.exitCode}`;
  return version === 1 ? `error executing command in container: ${words}` : words;
}

/** kubectl takes no exit code that is not of eight bits. */
function inRange(end: ProcessEnd): ProcessEnd {
  if ("error" in end || (end.exitCode >= 0 && end.exitCode <= 255)) return end;
  return { exitCode: end.exitCode & 255 || 255 };
}
