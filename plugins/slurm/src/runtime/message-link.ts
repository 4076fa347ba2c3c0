import type { BatchContainerSpec, BatchFile, BatchMount } from "@interlink/plugin-sdk";
import { shellQuoted } from "../submit/shell-words.ts";
import { containerFile, containerPath } from "./container-file.ts";

/** Where a container has its termination message, if that is to be seen below its `/dev`. */
const MESSAGE_PATH = "/.interlink-termination-log";
/** The hook that makes the link, in the container's directory of the job. */
const LINK_FILE = "termination-link";
/** Read by Apptainer and Singularity in the container, before they become its command. */
const HOOK_PATH = "/.singularity.d/env/99-interlink.sh";

/**
 * Mounts of the termination message. A contained `/dev` is a directory in memory, made anew for every container, in which
 * nothing can be mounted; so a link is made there, by the image's own `ln`, in the hook for the environment that images of
 * one file have (`hasHook`: this is one, and `/dev` is contained). Else what is written there ends with the container.
 */
export function messageMounts(
  spec: BatchContainerSpec,
  message: BatchMount,
  hasHook: boolean,
): BatchMount[] {
  if (!isInDev(message)) return [message];
  if (!hasHook) return [];
  return [
    { ...message, mountPath: MESSAGE_PATH },
    { source: [{ podPath: containerPath(spec, LINK_FILE) }], mountPath: HOOK_PATH, readOnly: true },
  ];
}

/** What the hook does; `undefined`: nothing is needed. */
export function messageLink(spec: BatchContainerSpec, hasHook: boolean): BatchFile | undefined {
  const { terminationMessage: message } = spec;
  if (message === undefined || !isInDev(message) || !hasHook) return undefined;
  const at = shellQuoted(message.mountPath);
  const link = (program: string): string =>
    `  ${program} -sf ${MESSAGE_PATH} ${at} >/dev/null 2>&1 || :`;
  const text = [
    "if [ -x /bin/ln ]; then",
    link("/bin/ln"),
    "elif [ -x /usr/bin/ln ]; then",
    link("/usr/bin/ln"),
    "fi",
    "",
  ].join("\n");
  return containerFile(spec, LINK_FILE, text);
}

function isInDev({ mountPath }: BatchMount): boolean {
  return `${mountPath}/`.startsWith("/dev/");
}
