import { allowedValues, type ConfigKey, configKeys, settingSchema } from "@interlink/plugin-sdk";
import type { TObject } from "typebox";
import { INSTALL_CONFIG } from "../install/install-config.ts";
import { commandOf, ignoredByReason, ROLE_NAMES, roleOf } from "./roles.ts";

const HEAD = `<!-- Written by npm run configuration from the schemas that the programs read by. Change those. -->

# Configuration

A setting is what its flag says, else its environment variable, else the file, else the default. Files are YAML; those of
existing installations are read as they are. A file with a key that is unknown, or a value that is not allowed, stops the
start with file, line and what is allowed. Say the same without a start, and read this page on a terminal:

\`\`\`sh
interlink config check FILE
interlink config explain --for node
\`\`\`

\`*\` stands for a name of your own, \`[]\` for the entries of a list. Flags: \`interlink node --help\`, \`interlink server --help\`,
\`interlink plugin --help\`.
`;

/** `docs/configuration.md`: every key of every role. */
export async function configurationPage(): Promise<string> {
  const parts: string[] = [HEAD];
  for (const name of ROLE_NAMES) {
    const { schema, place } = await roleOf(name);
    const usual = place.usual === undefined ? "None, unless one is named" : `\`${place.usual}\``;
    const variables = place.variables.map((one) => `\`${one}\``).join(" or ");
    parts.push(
      section(
        commandOf(name),
        `File: ${usual}; another by \`--config\`, or the variable ${variables}.`,
        schema,
      ),
    );
  }
  parts.push(
    section(
      "interlink install",
      "File: `--config`; `interlink install --init FILE` writes one to begin with.",
      INSTALL_CONFIG,
    ),
  );
  return parts.join("\n");
}

function section(title: string, place: string, schema: TObject): string {
  const keys = configKeys(settingSchema(schema));
  const rows = keys.filter((key) => key.schema.ignored === undefined).map(row);
  const ignored = ignoredByReason(keys).map(
    ([why, paths]) => `- ${paths.map((path) => `\`${path}\``).join(", ")}: ${cell(why)}.`,
  );
  return [
    `## ${title}`,
    "",
    place,
    "",
    "| Key | Value | Default | Variable | Meaning |",
    "| --- | --- | --- | --- | --- |",
    ...rows,
    ...(ignored.length === 0 ? [] : ["", "Accepted, and ignored:", "", ...ignored]),
    "",
  ].join("\n");
}

function row({ path, schema }: ConfigKey): string {
  const { default: byDefault, env = [], description = "" } = schema;
  const cells = [
    `\`${path}\``,
    cell(allowedValues(schema)),
    byDefault === undefined ? "" : `\`${JSON.stringify(byDefault)}\``,
    env.map((one) => `\`${one}\``).join(", "),
    cell(description),
  ];
  return `| ${cells.join(" | ")} |`;
}

/** Text that ends no cell and starts no tag. */
function cell(text: string): string {
  return text.replaceAll("|", "\\|").replaceAll("<", "&lt;").replaceAll("*", "\\*");
}
