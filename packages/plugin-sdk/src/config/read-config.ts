import type { Static, TObject } from "typebox";
import { Compile } from "typebox/compile";
import { ConfigError } from "./config-error.ts";
import {
  allowedValues,
  type ConfigKey,
  configKeys,
  mappingOf,
  type SettingSchema,
  settingSchema,
} from "./config-schema.ts";
import { type ConfigTree, readConfigTree } from "./config-tree.ts";

/** What there is to read. */
export interface ConfigSources {
  /** The file's name, for messages, and what is in it. Without it: the environment and the defaults. */
  file?: { name: string; text: string };
  env: Readonly<Record<string, string | undefined>>;
}

/** A configuration, read. */
export interface ReadConfig<T> {
  value: T;
  /** Sentences for the operator at start-up: what is ignored, and why. */
  notices: string[];
}

const NOTHING: ConfigTree = { value: {}, lines: new Map(), notices: [], problems: [] };

/**
 * Reads a configuration by its schema (`SettingNotes`): variables before the file before the defaults. Throws
 * `ConfigError` with every problem at once, each with file and line, or variable, and with what is allowed there.
 */
export function readConfig<S extends TObject>(
  schema: S,
  { file, env }: ConfigSources,
): ReadConfig<Static<S>> {
  const settings = settingSchema(schema);
  const name = file?.name ?? "";
  const tree = file === undefined ? NOTHING : readConfigTree(settings, file.text, name);
  const value = structuredClone(tree.value);
  const variables = new Map<string, string>();
  const problems = tree.problems.map(([line, sentence]) => `${name}:${line}: ${sentence}`);
  const keys = configKeys(settings);
  for (const key of keys) {
    const variable = key.schema.env?.find((one) => (env[one] ?? "") !== "");
    if (variable === undefined || key.schema.ignored !== undefined) continue;
    variables.set(`/${key.path.replaceAll(".", "/")}`, variable);
    put(value, key.path, fromText(env[variable] ?? "", key.schema));
  }
  fillIn(settings, value);
  for (const { instancePath, message } of wrongValues(schema, value)) {
    const variable = variables.get(instancePath);
    const line = lineOf(tree.lines, instancePath);
    const where = variable ?? (line === undefined ? name : `${name}:${line}`);
    const key = instancePath.slice(1).replaceAll("/", ".").replaceAll("~1", "/");
    problems.push(`${where}: ${variable === undefined ? `${key}: ` : ""}${message}`);
  }
  if (problems.length > 0) throw new ConfigError("invalid", problems);
  const notices = tree.notices.map(([line, sentence]) => `${name}:${line}: ${sentence}`);
  return { value: value as Static<S>, notices: [...notices, ...ignoredVariables(keys, env)] };
}

function ignoredVariables(keys: readonly ConfigKey[], env: ConfigSources["env"]): string[] {
  return keys.flatMap(({ schema: { ignored, env: names = [] } }) =>
    names
      .filter((name) => ignored !== undefined && (env[name] ?? "") !== "")
      .map((name) => `${name} is ignored: ${ignored}.`),
  );
}

/** One problem a place; what follows from it is left out. */
function wrongValues(schema: TObject, value: unknown): { instancePath: string; message: string }[] {
  const found = new Map<string, string>();
  for (const { instancePath, keyword, message, params } of Compile(schema).Errors(value)) {
    if (keyword === "required") {
      const { requiredProperties = [] } = params as { requiredProperties?: string[] };
      for (const one of requiredProperties) {
        const at = `${instancePath}/${one}`;
        if (!found.has(at)) found.set(at, `it is missing; ${giveFor(schema, at)}`);
      }
    } else if (!found.has(instancePath)) {
      const pattern = keyword === "pattern" || keyword === "minLength" ? ` (it ${message})` : "";
      found.set(instancePath, `${giveFor(schema, instancePath)}${pattern}`);
    }
  }
  // That a value is of none of its kinds says less than what is wrong inside.
  const paths = [...found.keys()];
  const isSaidInside = (path: string) => paths.some((other) => other.startsWith(`${path}/`));
  return [...found]
    .filter(([path]) => !isSaidInside(path))
    .map(([instancePath, message]) => ({ instancePath, message }));
}

function giveFor(schema: TObject, pointer: string): string {
  let one: SettingSchema = settingSchema(schema);
  for (const step of pointer.split("/").slice(1)) {
    const name = step.replaceAll("~1", "/").replaceAll("~0", "~");
    const { properties, patternProperties, items } = mappingOf(one);
    const [anyName] = Object.values(patternProperties ?? {});
    one = properties?.[name] ?? anyName ?? items ?? {};
  }
  return `give ${allowedValues(one)}.`;
}

/** A key that is missing has the line of what it is missing in. */
function lineOf(lines: ReadonlyMap<string, number>, pointer: string): number | undefined {
  for (let at = pointer; at !== ""; at = at.slice(0, at.lastIndexOf("/"))) {
    const line = lines.get(at);
    if (line !== undefined) return line;
  }
  return undefined;
}

/** Defaults, at every depth. What may be left out as a whole stays out. */
function fillIn(given: SettingSchema, value: unknown): void {
  const schema = mappingOf(given);
  if (Array.isArray(value)) {
    for (const item of value) fillIn(schema.items ?? {}, item);
    return;
  }
  // What is no mapping here is wrong, and is told as such.
  if (typeof value !== "object" || value === null) return;
  const mapping = value as Record<string, unknown>;
  const [anyName] = Object.values(schema.patternProperties ?? {});
  for (const [name, inner] of Object.entries(mapping)) {
    fillIn(schema.properties?.[name] ?? anyName ?? {}, inner);
  }
  for (const [name, inner] of Object.entries(schema.properties ?? {})) {
    if (mapping[name] !== undefined) continue;
    if (inner.default !== undefined) mapping[name] = structuredClone(inner.default);
    else if (inner.properties !== undefined && schema.required?.includes(name) === true) {
      mapping[name] = {};
      fillIn(inner, mapping[name]);
    }
  }
}

function put(value: Record<string, unknown>, path: string, item: unknown): void {
  const names = path.split(".");
  const last = names.pop() ?? "";
  let at = value;
  for (const name of names) {
    const inner = at[name] ?? (at[name] = {});
    // What stands there is wrong, and is told as such.
    if (typeof inner !== "object" || inner === null) return;
    at = inner as Record<string, unknown>;
  }
  at[last] = item;
}

/** What does not read as what is wanted stays text, and is refused as such. */
function fromText(text: string, { type }: SettingSchema): unknown {
  if (type === "boolean") {
    if (/^(true|1|yes|on)$/i.test(text)) return true;
    return /^(false|0|no|off)$/i.test(text) ? false : text;
  }
  if (type === "integer" || type === "number") return /^-?\d/.test(text) ? Number(text) : text;
  return text;
}
