import type { DockerConfig } from "@interlink/plugin-docker";
import type { Provider } from "@interlink/plugin-sdk";
import type { SlurmSettings } from "@interlink/plugin-slurm";
import type { Logger } from "pino";

/** What the plugins of this command line are built from. */
export interface ProviderSettings {
  /** Absolute directory of the plugin's jobs. */
  root: string;
  /** Label that tells two Docker plugins on one engine apart; default: made from `root`. */
  instance?: string;
  /** As `DOCKER_HOST`; default: the engine's usual socket. */
  dockerHost?: string;
  /** More for the Docker plugin, from its configuration file. */
  docker?: DockerConfig["options"];
  /** How the site runs pods as Slurm jobs, from its configuration file. */
  slurm?: SlurmSettings;
  logger: Logger;
  checkpoint?: (step: string) => void;
}

/** The provider of a built-in plugin. Only the code of that plugin is loaded. */
export async function buildProvider(
  name: "docker" | "process" | "slurm",
  settings: ProviderSettings,
): Promise<Provider> {
  const { root, logger, instance, dockerHost, checkpoint } = settings;
  const common = { root, logger, ...(checkpoint ? { checkpoint } : {}) };
  if (name === "process") {
    const { createProcessProvider } = await import("@interlink/plugin-process");
    return createProcessProvider(common);
  }
  if (name === "slurm") {
    const { createSlurmProvider, readSlurmConfig } = await import("@interlink/plugin-slurm");
    const slurm = settings.slurm ?? readSlurmConfig({ env: {} }).options;
    return createSlurmProvider({ ...common, settings: slurm });
  }
  const { createDockerProvider } = await import("@interlink/plugin-docker");
  return createDockerProvider({
    ...settings.docker,
    ...common,
    ...(instance ? { plugin: instance } : {}),
    ...(dockerHost ? { dockerHost } : {}),
  });
}
