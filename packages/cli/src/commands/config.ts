import {
  allowedValues,
  type ConfigKey,
  type ConfigSources,
  configKeys,
  type SettingSchema,
  settingSchema,
} from "@interlink/plugin-sdk";
import type { TObject } from "typebox";
import type { CliContext } from "../cli-context.ts";
import { CliError } from "../cli-error.ts";
import { type ConfigPlace, loadConfig } from "../config/config-file.ts";
import { NODE_CONFIG, NODE_CONFIG_PLACE, readNodeConfig } from "../config/node-config.ts";
import { readServerConfig, SERVER_CONFIG, SERVER_CONFIG_PLACE } from "../config/server-config.ts";
import type { ConfigFlags, ConfigRole } from "../flags.ts";
import { DOCKER_CONFIG_PLACE, SLURM_CONFIG_PLACE } from "../plugin-config.ts";

interface Role {
  schema: TObject;
  place: ConfigPlace;
  read: (sources: ConfigSources) => { notices: string[] };
}

const NAMES: readonly ConfigRole[] = ["node", "server", "docker", "slurm"];

async function roleOf(name: ConfigRole): Promise<Role> {
  if (name === "node") {
    return { schema: NODE_CONFIG, place: NODE_CONFIG_PLACE, read: readNodeConfig };
  }
  if (name === "server") {
    return { schema: SERVER_CONFIG, place: SERVER_CONFIG_PLACE, read: readServerConfig };
  }
  if (name === "docker") {
    const { DOCKER_CONFIG, readDockerConfig } = await import("@interlink/plugin-docker");
    return { schema: DOCKER_CONFIG, place: DOCKER_CONFIG_PLACE, read: readDockerConfig };
  }
  const { readSlurmConfig, SLURM_CONFIG } = await import("@interlink/plugin-slurm");
  return { schema: SLURM_CONFIG, place: SLURM_CONFIG_PLACE, read: readSlurmConfig };
}

/** As it is started. */
const commandOf = (role: ConfigRole): string =>
  role === "docker" || role === "slurm" ? `interlink plugin ${role}` : `interlink ${role}`;

/**
 * `interlink config check FILE`: throws `CliError` with what is wrong. Without `--for` the file may be anybody's, and is
 * told to be whose it can be.
 */
export async function checkConfig(
  file: string,
  flags: ConfigFlags,
  { stdout }: CliContext,
): Promise<void> {
  const roles = flags.for === undefined ? NAMES : [flags.for];
  const refusals: CliError[] = [];
  for (const role of roles) {
    const { place, read } = await roleOf(role);
    try {
      const { notices } = await loadConfig(read, place, file, {});
      stdout.write(`${file} can be used by ${commandOf(role)}.\n`);
      for (const notice of notices) stdout.write(`  ${notice}\n`);
    } catch (error) {
      if (!(error instanceof CliError)) throw error;
      refusals.push(error);
    }
  }
  // Of those that refuse it, the one that has least against it was meant.
  const [least] = refusals.toSorted((a, b) => lines(a) - lines(b));
  if (least !== undefined && refusals.length === roles.length) throw least;
}

const lines = ({ message }: CliError): number => message.split("\n").length;

/** `interlink config explain`: every key, for people. */
export async function explainConfig(flags: ConfigFlags, { stdout }: CliContext): Promise<void> {
  const roles = flags.for === undefined ? NAMES : [flags.for];
  for (const role of roles) {
    const { schema, place } = await roleOf(role);
    const usual = place.usual === undefined ? "no file, unless one is named" : place.usual;
    stdout.write(`${commandOf(role)}: ${usual}\n`);
    stdout.write(`  Another file: --config, or the variable ${place.variables.join(" or ")}.\n\n`);
    const keys = configKeys(settingSchema(schema));
    for (const key of keys) {
      if (key.schema.ignored === undefined) stdout.write(`${explained(key)}\n`);
    }
    stdout.write(`\n${withoutEffect(keys)}`);
    stdout.write("\n");
  }
}

function explained({ path, schema }: ConfigKey): string {
  const told = [`  ${path}: ${allowedValues(schema)}${defaultOf(schema)}`];
  if (schema.description !== undefined) told.push(`      ${schema.description}`);
  if (schema.env !== undefined) told.push(`      Variable: ${schema.env.join(", ")}`);
  return told.join("\n");
}

/** The keys that are accepted and ignored, by the reason why. */
function withoutEffect(keys: readonly ConfigKey[]): string {
  const names = new Map<string, string[]>();
  for (const { path, schema } of keys) {
    if (schema.ignored !== undefined)
      names.set(schema.ignored, [...(names.get(schema.ignored) ?? []), path]);
  }
  const told = [...names].map(([why, paths]) => `  ${paths.join(", ")}\n      ${why}\n`);
  return told.length === 0 ? "" : `Accepted, and ignored:\n${told.join("")}`;
}

function defaultOf(schema: SettingSchema): string {
  return schema.default === undefined ? "" : ` (default: ${JSON.stringify(schema.default)})`;
}
