import type { DockerConfig } from "@interlink/plugin-docker";
import type { SlurmSettings } from "@interlink/plugin-slurm";
import { CliError } from "./cli-error.ts";
import { type ConfigPlace, loadConfig } from "./config/config-file.ts";

/** A plugin's configuration, read. */
export type PluginConfig = DockerConfig & {
  /** Of the Slurm plugin. */
  slurm?: SlurmSettings;
};

/** Where the earlier plugins looked for their files. */
export const DOCKER_CONFIG_PLACE: ConfigPlace = { variables: ["INTERLINKCONFIGPATH"] };
export const SLURM_CONFIG_PLACE: ConfigPlace = {
  variables: ["SLURMCONFIGPATH"],
  usual: "/etc/interlink/SlurmConfig.yaml",
};

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
    const { options, ...rest } = await loadConfig(readSlurmConfig, SLURM_CONFIG_PLACE, file, env);
    return { ...rest, options: {}, slurm: options };
  }
  const { readDockerConfig } = await import("@interlink/plugin-docker");
  return loadConfig(readDockerConfig, DOCKER_CONFIG_PLACE, file, env);
}
