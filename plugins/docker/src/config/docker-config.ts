import { resolve } from "node:path";
import { ConfigError, type ConfigSources, readConfig } from "@interlink/plugin-sdk";
import { inventoryProblem } from "../devices/inventory-problem.ts";
import type { DockerProviderOptions } from "../docker-provider.ts";
import { imageSettingsProblem, resolvedImageSettings } from "../images/image-settings.ts";
import { DOCKER_CONFIG, type DockerFile } from "./config-schema.ts";
import { ignoredVariables } from "./older-variables.ts";

/** What an operator may write into the plugin's configuration file; the names are those of the options. */
type FileOptions = Pick<
  DockerProviderOptions,
  | "dockerHost"
  | "plugin"
  | "network"
  | "pods"
  | "log"
  | "dns"
  | "runtimeClasses"
  | "seccompProfiles"
  | "hostPaths"
  | "hostIP"
  | "forbid"
  | "allowUnheldMounts"
  | "claims"
  | "devices"
  | "images"
>;

/** A configuration, read. */
export interface DockerConfig {
  options: FileOptions;
  /** From the keys of older plugins: directory of the jobs. */
  root?: string;
  /** From the keys of older plugins: `host:port` or `unix:///path`. */
  listen?: string;
  /** Likewise. */
  logLevel?: "debug" | "error";
  /** Sentences for the operator at start-up: what is ignored, and why. */
  notices: string[];
}

/**
 * Reads the configuration file, and the variables, which go before it. Throws `ConfigError` with every problem, its place
 * and what is allowed.
 */
export function readDockerConfig(sources: ConfigSources): DockerConfig {
  const { value, notices } = readConfig(DOCKER_CONFIG, sources);
  const { SidecarPort, Socket, DataRootFolder, VerboseLogging, ErrorsOnlyLogging, ...options } =
    value;
  const problem =
    inventoryProblem(options.devices ?? []) ?? imageSettingsProblem(options.images ?? {});
  if (problem !== undefined) {
    const where = sources.file === undefined ? "" : `${sources.file.name}: `;
    throw new ConfigError("invalid", [`${where}${problem}`]);
  }
  return {
    options: {
      ...options,
      ...(options.images && { images: resolvedImageSettings(options.images) }),
      ...(options.seccompProfiles !== undefined && {
        seccompProfiles: resolve(options.seccompProfiles),
      }),
    },
    ...serving({ SidecarPort, Socket, DataRootFolder, VerboseLogging, ErrorsOnlyLogging }),
    notices: [
      ...notices,
      ...ignoredVariables(sources.env),
      ...(SidecarPort && !Socket
        ? ["SidecarPort listens on 127.0.0.1 only; use --listen to open it to others."]
        : []),
    ],
  };
}

/** The earlier plugin was open to every machine; it is not by default any more. */
function serving(
  file: {
    [K in "SidecarPort" | "Socket" | "DataRootFolder" | "VerboseLogging" | "ErrorsOnlyLogging"]:
      | DockerFile[K]
      | undefined;
  },
): Pick<DockerConfig, "root" | "listen" | "logLevel"> {
  const { SidecarPort: port, Socket: socket, DataRootFolder: root } = file;
  const listen = socket || (port && `127.0.0.1:${port}`);
  const logLevel = file.VerboseLogging ? "debug" : file.ErrorsOnlyLogging ? "error" : undefined;
  return {
    ...(root && { root }),
    ...(listen && { listen }),
    ...(logLevel !== undefined && { logLevel }),
  };
}
