import type { BatchContainerSpec, BatchFile, BatchMount } from "@interlink/plugin-sdk";
import { shellQuoted } from "../submit/shell-words.ts";
import { containerFile, containerPath } from "./container-file.ts";

/** In the container: sets the odd variables and becomes the command behind it. */
export const ODD_VARIABLES_PATH = "/.interlink-environment";

/** In the container's directory of the job: the same script. */
const SCRIPT_FILE = "odd-variables";

const SHELL_NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;

/**
 * Variables that Apptainer and Singularity do not hand over as they are. One name that a shell cannot set (`a.b`) makes
 * them leave out every variable, as they read all of them in a file of shell; `HOME` they set themselves.
 */
export function oddVariables({ env }: BatchContainerSpec): BatchContainerSpec["env"] {
  return env.filter(({ name }) => name === "HOME" || !SHELL_NAME.test(name));
}

/**
 * A script for the container's own `sh` that sets them, for the job's user alone. An `env` that knows `-S` (coreutils 8.30)
 * takes values of odd names from its own environment; with any other (busybox) they stand on its command line for the
 * moment in which it becomes the command. `undefined`: there are none.
 */
export function oddVariablesFile(spec: BatchContainerSpec): BatchFile | undefined {
  const odd = oddVariables(spec);
  if (odd.length === 0) return undefined;
  const plain = odd.filter(({ name }) => SHELL_NAME.test(name));
  const others = odd.filter(({ name }) => !SHELL_NAME.test(name));
  const lines = [
    ...plain.map(({ name, value }) => `export ${name}=${shellQuoted(value)}`),
    ...(others.length === 0 ? ['exec "$@"'] : withEnv(others)),
  ];
  return containerFile(spec, SCRIPT_FILE, `${lines.join("\n")}\n`);
}

function withEnv(variables: BatchContainerSpec["env"]): string[] {
  const held = variables.map((_, index) => `interlink_${index}`);
  const split = [
    ...held.map((name) => `-u ${name}`),
    "--",
    ...variables.map(
      ({ name }, index) => `'${name.replaceAll(/[\\']/g, "\\$&")}='\${${held[index]}}`,
    ),
  ].join(" ");
  const words = variables.map(({ name }, index) => `${shellQuoted(`${name}=`)}"$${held[index]}"`);
  return [
    ...variables.map(({ value }, index) => `${held[index]}=${shellQuoted(value)}`),
    "if env -S true 2>/dev/null; then",
    `  export ${held.join(" ")}`,
    `  exec env -S ${shellQuoted(split)} "$@"`,
    "fi",
    `exec env ${words.join(" ")} "$@"`,
  ];
}

/** Where the container sees the script. */
export function oddVariablesMount(spec: BatchContainerSpec): BatchMount[] {
  if (oddVariables(spec).length === 0) return [];
  const source = [{ podPath: containerPath(spec, SCRIPT_FILE) }];
  return [{ source, mountPath: ODD_VARIABLES_PATH, readOnly: true }];
}
