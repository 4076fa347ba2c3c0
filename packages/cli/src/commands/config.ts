import {
  allowedValues,
  type ConfigKey,
  configKeys,
  type SettingSchema,
  settingSchema,
} from "@interlink/plugin-sdk";
import type { TObject } from "typebox";
import type { CliContext } from "../cli-context.ts";
import { CliError } from "../cli-error.ts";
import { type ConfigPlace, loadConfig } from "../config/config-file.ts";
import { NODE_CONFIG, NODE_CONFIG_PLACE } from "../config/node-config.ts";
import { SERVER_CONFIG, SERVER_CONFIG_PLACE } from "../config/server-config.ts";
import type { ConfigFlags, ConfigRole } from "../flags.ts";

const ROLES: Readonly<Record<ConfigRole, { schema: TObject; place: ConfigPlace }>> = {
  node: { schema: NODE_CONFIG, place: NODE_CONFIG_PLACE },
  server: { schema: SERVER_CONFIG, place: SERVER_CONFIG_PLACE },
};

/**
 * `interlink config check FILE`: throws `CliError` with what is wrong. Without `--for` the file may be anybody's, and is
 * told to be whose it can be.
 */
export async function checkConfig(
  file: string,
  flags: ConfigFlags,
  { stdout }: CliContext,
): Promise<void> {
  const roles: ConfigRole[] = flags.for === undefined ? ["node", "server"] : [flags.for];
  const refusals: CliError[] = [];
  for (const role of roles) {
    const { schema, place } = ROLES[role];
    try {
      const { notices } = await loadConfig(schema, place, file, {});
      stdout.write(`${file} can be used by interlink ${role}.\n`);
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
export function explainConfig(flags: ConfigFlags, { stdout }: CliContext): void {
  const roles: ConfigRole[] = flags.for === undefined ? ["node", "server"] : [flags.for];
  for (const role of roles) {
    const { schema, place } = ROLES[role];
    stdout.write(`interlink ${role}: ${place.usual}\n`);
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
