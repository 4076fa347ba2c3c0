/**
 * What a shell would answer for a command that could not be started, from the words of the OCI runtime. Docker tells
 * this code itself; Podman does not keep it. `undefined`: it failed for another reason.
 */
export function exitCodeOfFailedStart(words: string): 126 | 127 | undefined {
  if (/exec(?::|utable).*(?:not found|no such file or directory)/i.test(words)) return 127;
  if (/exec(?::|utable).*(?:permission denied|is a directory)/i.test(words)) return 126;
  return undefined;
}
