import {
  type BatchContainerSpec,
  type BatchFile,
  type BatchMount,
  batchContainerDirectory,
} from "@interlink/plugin-sdk";

/** In the container: sets the odd variables and becomes the command behind it. */
export const ODD_VARIABLES_PATH = "/.interlink-environment";

/**
 * Variables that Apptainer and Singularity do not hand over as they are. One name that a shell cannot set (`a.b`) makes
 * them leave out every variable, as they read all of them in a file of shell; `HOME` they set themselves.
 */
export function oddVariables({ env }: BatchContainerSpec): BatchContainerSpec["env"] {
  return env.filter(({ name }) => name === "HOME" || !/^[A-Za-z_][A-Za-z0-9_]*$/.test(name));
}

/**
 * A script for the container's own `sh` that sets them, for the job's user alone. Their values stand on the command line
 * of `env` for the moment in which that becomes the command. `undefined`: there are none.
 */
export function oddVariablesFile(spec: BatchContainerSpec): BatchFile | undefined {
  const odd = oddVariables(spec);
  if (odd.length === 0) return undefined;
  const words = odd.map(({ name, value }) => quoted(`${name}=${value}`)).join(" ");
  return {
    path: scriptPath(spec),
    mode: 0o600,
    content: Buffer.from(`exec env ${words} "$@"\n`),
  };
}

/** Where the container sees the script. */
export function oddVariablesMount(spec: BatchContainerSpec): BatchMount[] {
  if (oddVariables(spec).length === 0) return [];
  const source = [{ podPath: scriptPath(spec) }];
  return [{ source, mountPath: ODD_VARIABLES_PATH, readOnly: true }];
}

function scriptPath({ container }: BatchContainerSpec): string {
  return `${batchContainerDirectory(container.name)}/odd-variables`;
}

/** One word of a shell, whatever is in it. */
function quoted(word: string): string {
  return `'${word.replaceAll("'", `'\\''`)}'`;
}
