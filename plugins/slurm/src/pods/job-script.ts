import { shellQuoted } from "../submit/shell-words.ts";
import { inMesh } from "./mesh.ts";
import { leaveTunnel, openTunnel, type TunnelSettings } from "./tunnel-script.ts";

/** What stands before the fixed script of the SDK in every job. */
export interface JobScriptOptions {
  /** Absolute path of bash on the compute nodes. */
  bash: string;
  /** The SDK's script, text. */
  script: string;
  /** Shell text of the site, then of the pod where the site allows it. */
  shell: readonly string[];
  /** Told to the job as `POD_IP`; letters of an address. */
  podIp?: string;
  /** Variables of the job itself, not of its containers. */
  variables?: readonly { name: string; value: string }[];
  /** The job opens one before anything else. */
  tunnel?: TunnelSettings;
  /** Of opening it; default: a minute. */
  tunnelSeconds?: number;
  /** A script that makes the pod's network, and in which the rest then runs. */
  mesh?: string;
  /** Shell text, each one command, to run when the job's script ends by itself, e.g. to remove a root file system. */
  cleanUp?: readonly string[];
}

/** Beside the pod's directory's other files: leads to the id of the one job that may run this pod. */
export const CLAIM_FILE = "job-id";

/** Exit code of a job that could write nothing into its pod's directory, and so began nothing (sysexits.h, `EX_IOERR`). */
export const UNWRITABLE_CODE = 74;

/**
 * The job's script: `SCRIPT DIRECTORY`. First it claims the pod's directory for its own job id, so that of two jobs that
 * were submitted for one pod only one ever runs it; then the shell text of the site; then the fixed script.
 *
 * Shell text travels as base64, so that a quote or a here-document that is not closed cannot change what follows.
 */
export function jobScript(options: JobScriptOptions): string {
  const { bash, script, shell, podIp, tunnel, tunnelSeconds, cleanUp = [] } = options;
  const { variables = [], mesh } = options;
  const texts = shell.map((text) => Buffer.from(`${text}\n`).toString("base64"));
  const evals = texts.map((text) => `eval "$(base64 -d <<<'${text}')"`);
  const atEnd = [
    ...(tunnel === undefined ? [] : ["il_close_tunnel"]),
    ...cleanUp.map((command) => `${command} >/dev/null 2>&1`),
  ];
  const before = [
    ...(tunnel === undefined ? [] : openTunnel(tunnel, tunnelSeconds)),
    ...(podIp === undefined ? [] : [`export POD_IP=${podIp}`]),
    ...variables.map(({ name, value }) => {
      const text = Buffer.from(value).toString("base64");
      return `${name}="$(base64 -d <<<'${text}')"; export ${name}`;
    }),
    ...(tunnel === undefined || evals.length === 0
      ? evals
      : ["if [[ -z $il_refused ]]; then", ...evals, "fi"]),
    ...(tunnel === undefined ? [] : leaveTunnel(tunnel)),
    ...(atEnd.length === 0 ? [] : [`trap ${shellQuoted(atEnd.join("; "))} EXIT`]),
  ];
  const fixed = script.slice(script.indexOf("\n") + 1);
  return [
    `#!${bash} -p`,
    'if ! [[ -d ${1-} ]]; then echo "interlink: the pod has been deleted" >&2; exit 0; fi',
    // A full disk, or a quota that is used up, may have space again in a moment.
    "for ((il_tries = 0; il_tries < 60; il_tries++)); do",
    `  ln -s -- "\${SLURM_JOB_ID:-0}" "$1/${CLAIM_FILE}" 2>/dev/null`,
    `  if [[ -L $1/${CLAIM_FILE} || ! -d $1 ]]; then break; fi`,
    "  sleep 1",
    "done",
    `if ! [[ -L $1/${CLAIM_FILE} ]]; then`,
    '  echo "interlink: nothing can be written to $1" >&2',
    `  exit ${UNWRITABLE_CODE}`,
    "fi",
    `if [[ $(readlink -- "$1/${CLAIM_FILE}") != "\${SLURM_JOB_ID:-0}" ]]; then`,
    '  echo "interlink: another job runs this pod" >&2',
    "  exit 0",
    "fi",
    ...(mesh === undefined ? before : inMesh(mesh, before)),
    fixed,
  ].join("\n");
}
