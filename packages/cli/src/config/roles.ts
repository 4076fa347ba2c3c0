import type { ConfigSources } from "@interlink/plugin-sdk";
import type { TObject } from "typebox";
import type { ConfigRole } from "../flags.ts";
import { DOCKER_CONFIG_PLACE, SLURM_CONFIG_PLACE } from "../plugin-config.ts";
import type { ConfigPlace } from "./config-file.ts";
import { NODE_CONFIG, NODE_CONFIG_PLACE } from "./node-config.ts";
import { SERVER_CONFIG, SERVER_CONFIG_PLACE } from "./server-config.ts";
import { readUsableNodeConfig, readUsableServerConfig } from "./usable.ts";

/** What has a configuration file. */
export interface Role {
  schema: TObject;
  place: ConfigPlace;
  /** Throws for what the program would refuse at its start because of the file alone. */
  read: (sources: ConfigSources) => { notices: string[] };
}

export const ROLE_NAMES: readonly ConfigRole[] = ["node", "server", "docker", "slurm"];

/** Loads the plugins' schemas only when they are asked for. */
export async function roleOf(name: ConfigRole): Promise<Role> {
  if (name === "node") {
    return { schema: NODE_CONFIG, place: NODE_CONFIG_PLACE, read: readUsableNodeConfig };
  }
  if (name === "server") {
    return { schema: SERVER_CONFIG, place: SERVER_CONFIG_PLACE, read: readUsableServerConfig };
  }
  if (name === "docker") {
    const { DOCKER_CONFIG, readDockerConfig } = await import("@interlink/plugin-docker");
    return { schema: DOCKER_CONFIG, place: DOCKER_CONFIG_PLACE, read: readDockerConfig };
  }
  const { readSlurmConfig, SLURM_CONFIG } = await import("@interlink/plugin-slurm");
  return { schema: SLURM_CONFIG, place: SLURM_CONFIG_PLACE, read: readSlurmConfig };
}

/** As it is started. */
export const commandOf = (role: ConfigRole): string =>
  role === "docker" || role === "slurm" ? `interlink plugin ${role}` : `interlink ${role}`;

/** The keys that are accepted and ignored, by the reason why. */
export function ignoredByReason(
  keys: readonly { path: string; schema: { ignored?: string } }[],
): [string, string[]][] {
  const names = new Map<string, string[]>();
  for (const { path, schema } of keys) {
    if (schema.ignored !== undefined)
      names.set(schema.ignored, [...(names.get(schema.ignored) ?? []), path]);
  }
  return [...names];
}
