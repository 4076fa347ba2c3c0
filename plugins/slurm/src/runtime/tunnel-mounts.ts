import type { BatchContainerSpec, BatchFile, BatchMount } from "@interlink/plugin-sdk";
import { TUNNEL_FILE } from "../pods/tunnel-script.ts";
import { shellQuoted } from "../submit/shell-words.ts";
import { containerFile, containerPath } from "./container-file.ts";

/** Where a container has the settings of libtsocks. */
const SETTINGS_PATH = "/.interlink-tsocks.conf";
/** The hook, in the container's directory of the job. */
const HOOK_FILE = "tsocks-hook";
/** Read by Apptainer and Singularity in the container, before they become its command. */
const HOOK_PATH = "/.singularity.d/env/98-interlink-tsocks.sh";

/**
 * What brings a container's connections to the job's tunnel: the library, under its own path, its settings, and a hook for
 * the environment that images of one file have.
 */
export function tunnelMounts(spec: BatchContainerSpec, library: string): BatchMount[] {
  return [
    { source: [library], mountPath: library, readOnly: true },
    { source: [{ jobPath: TUNNEL_FILE }], mountPath: SETTINGS_PATH, readOnly: true },
    { source: [{ podPath: containerPath(spec, HOOK_FILE) }], mountPath: HOOK_PATH, readOnly: true },
  ];
}

/**
 * The hook has the library loaded, if the container's own programs can take it: it is made for the C library of the
 * compute node, and would keep all programs from starting under another one (musl), or one that is much older. What the
 * pod itself has loaded stands above.
 */
export function tunnelHook(spec: BatchContainerSpec, library: string): BatchFile {
  const own = shellQuoted(library);
  const text = [
    'if [ -z "${LD_PRELOAD-}" ]; then',
    "  for interlink_true in /bin/true /usr/bin/true; do",
    '    if [ -x "$interlink_true" ]; then',
    `      if interlink_said="$(LD_PRELOAD=${own} "$interlink_true" 2>&1)" && [ -z "$interlink_said" ]; then`,
    `        export LD_PRELOAD=${own} TSOCKS_CONF_FILE=${SETTINGS_PATH}`,
    "      fi",
    "      break",
    "    fi",
    "  done",
    "  unset interlink_true interlink_said",
    "fi",
    "",
  ].join("\n");
  return containerFile(spec, HOOK_FILE, text);
}
