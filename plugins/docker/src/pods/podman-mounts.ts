import { RuntimeError } from "@interlink/plugin-sdk";

/** What Podman's compatible API takes for the end of a value: it puts mounts together as one text and parses that. */
const SEPARATOR = /[,"\r\n]/;

/**
 * Throws `RuntimeError` `InvalidConfig` for paths that Podman would read as options of a mount: a target
 * `/x,source=/etc` is the host's `/etc` for it.
 */
export function checkPodmanMounts(mounts: readonly { Source: string; Target: string }[]): void {
  for (const { Source, Target } of mounts) {
    if (SEPARATOR.test(Target)) {
      throw new RuntimeError(
        "InvalidConfig",
        `the path ${JSON.stringify(Target)} in the container holds a comma, a quote or a line break, which Podman does not take in mounts.`,
      );
    }
    if (SEPARATOR.test(Source)) {
      // The path itself is not the pod's business.
      throw new RuntimeError(
        "InvalidConfig",
        `the path of what is mounted at ${Target} holds a comma, a quote or a line break, which Podman does not take in mounts.`,
      );
    }
  }
}
