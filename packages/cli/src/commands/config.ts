import {
  allowedValues,
  type ConfigKey,
  configKeys,
  type SettingSchema,
  settingSchema,
} from "@interlink/plugin-sdk";
import type { CliContext } from "../cli-context.ts";
import { CliError } from "../cli-error.ts";
import { loadConfig } from "../config/config-file.ts";
import { commandOf, ignoredByReason, ROLE_NAMES, roleOf } from "../config/roles.ts";
import type { ConfigFlags } from "../flags.ts";

/**
 * `interlink config check FILE`: throws `CliError` with what is wrong. Without `--for` the file may be anybody's, and is
 * told to be whose it can be.
 */
export async function checkConfig(
  file: string,
  flags: ConfigFlags,
  { stdout }: CliContext,
): Promise<void> {
  const roles = flags.for === undefined ? ROLE_NAMES : [flags.for];
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
  const roles = flags.for === undefined ? ROLE_NAMES : [flags.for];
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

function withoutEffect(keys: readonly ConfigKey[]): string {
  const told = ignoredByReason(keys).map(([why, paths]) => `  ${paths.join(", ")}\n      ${why}\n`);
  return told.length === 0 ? "" : `Accepted, and ignored:\n${told.join("")}`;
}

function defaultOf(schema: SettingSchema): string {
  return schema.default === undefined ? "" : ` (default: ${JSON.stringify(schema.default)})`;
}
