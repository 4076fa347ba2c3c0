import { readFile } from "node:fs/promises";
import { ConfigError, type ConfigSources } from "@interlink/plugin-sdk";
import { CliError } from "../cli-error.ts";
import { whyUnread } from "../needed-file.ts";
import { refuseWritable } from "../secret-file.ts";

type Environment = Readonly<Record<string, string | undefined>>;

/** Where a role's configuration is, if nobody says it. */
export interface ConfigPlace {
  /** Variables that name the file; of several, the first that is set. */
  variables: readonly string[];
  /** Read if it is there. */
  usual?: string;
}

/**
 * The configuration of a role: the file that the flag names, else the one that a variable names, else the usual one if
 * it is there; what `read` makes of it, with the file's name if there was one. Throws `CliError` `usage` with every problem.
 */
export async function loadConfig<T extends object>(
  read: (sources: ConfigSources) => T,
  place: ConfigPlace,
  flag: string | undefined,
  env: Environment,
): Promise<T & { file?: string }> {
  const variable = place.variables.find((name) => (env[name] ?? "") !== "");
  const named = flag ?? (variable === undefined ? undefined : env[variable]);
  const name = named ?? place.usual;
  const text = name === undefined ? undefined : await readText(name, named === undefined);
  try {
    if (name === undefined || text === undefined) return read({ env });
    return { ...read({ file: { name, text }, env }), file: name };
  } catch (cause) {
    if (!(cause instanceof ConfigError)) throw cause;
    throw new CliError("usage", cause.message, { cause });
  }
}

async function readText(file: string, mayBeMissing: boolean): Promise<string | undefined> {
  await refuseWritable(file, "The configuration");
  try {
    return await readFile(file, "utf8");
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "ENOENT" && mayBeMissing) return undefined;
    throw new CliError("usage", `The configuration ${file} cannot be read: ${whyUnread(cause)}.`, {
      cause,
    });
  }
}
