import { readFile } from "node:fs/promises";
import type { DockerConfig } from "@interlink/plugin-docker";
import { parse } from "yaml";
import { CliError } from "./cli-error.ts";

/**
 * The configuration of a plugin, from its file (YAML) and from the variables of earlier plugins. Throws a `CliError`
 * with a sentence that names the file and the key.
 */
export async function readPluginConfig(
  plugin: "docker" | "process",
  file: string | undefined,
  env: Readonly<Record<string, string | undefined>>,
): Promise<DockerConfig> {
  if (plugin === "process") {
    if (file === undefined) return { options: {}, notices: [] };
    throw new CliError("usage", "The process plugin has nothing to configure: leave --config out.");
  }
  const { readDockerConfig } = await import("@interlink/plugin-docker");
  try {
    const text = file === undefined ? "" : await readFile(file, "utf8");
    return readDockerConfig(parse(text) ?? undefined, env, file);
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    const why = code === "ENOENT" ? `There is no configuration file ${file}.` : message;
    throw new CliError("usage", why, { cause });
  }
}
