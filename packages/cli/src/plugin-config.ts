import { access, readFile } from "node:fs/promises";
import type { DockerConfig } from "@interlink/plugin-docker";
import type { SlurmSettings } from "@interlink/plugin-slurm";
import { parse } from "yaml";
import { CliError } from "./cli-error.ts";

/** A plugin's configuration, read. */
export type PluginConfig = DockerConfig & {
  /** Of the Slurm plugin. */
  slurm?: SlurmSettings;
};

/** Where the earlier Slurm plugin looked for its file. */
const SLURM_FILE = "/etc/interlink/SlurmConfig.yaml";

/**
 * The configuration of a plugin, from its file (YAML) and from the variables of earlier plugins. Throws a `CliError`
 * with a sentence that names the file and the key.
 */
export async function readPluginConfig(
  plugin: "docker" | "process" | "slurm",
  file: string | undefined,
  env: Readonly<Record<string, string | undefined>>,
): Promise<PluginConfig> {
  if (plugin === "process") {
    if (file === undefined) return { options: {}, notices: [] };
    throw new CliError("usage", "The process plugin has nothing to configure: leave --config out.");
  }
  if (plugin === "slurm") {
    const { readSlurmConfig } = await import("@interlink/plugin-slurm");
    const named = file ?? (env["SLURMCONFIGPATH"] || undefined);
    const { options: slurm, ...rest } = await readFileBy(
      named ?? (await usualFile()),
      (value, what) => readSlurmConfig(value, env, what),
    );
    return { ...rest, options: {}, slurm };
  }
  const { readDockerConfig } = await import("@interlink/plugin-docker");
  // The earlier Docker plugin found its file by this variable.
  return readFileBy(file ?? (env["INTERLINKCONFIGPATH"] || undefined), (value, what) =>
    readDockerConfig(value, env, what),
  );
}

/** The Slurm plugin's usual file, if it is there. */
async function usualFile(): Promise<string | undefined> {
  return access(SLURM_FILE).then(
    () => SLURM_FILE,
    () => undefined,
  );
}

async function readFileBy<T>(
  file: string | undefined,
  read: (value: unknown, what: string | undefined) => T,
): Promise<T> {
  try {
    const text = file === undefined ? "" : await readFile(file, "utf8");
    return read(parse(text) ?? undefined, file);
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    const why = code === "ENOENT" ? `There is no configuration file ${file}.` : message;
    throw new CliError("usage", why, { cause });
  }
}
