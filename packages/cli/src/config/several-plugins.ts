import { type Static, Type } from "typebox";
import { CliError } from "../cli-error.ts";
import { closed } from "./shared-settings.ts";
import { siteAddress } from "./site-address.ts";

/** How a plugin is called: names of files. */
export interface SidecarSettings {
  tokenFile?: string;
  ca?: string;
  cert?: string;
  key?: string;
}

/** Keys of how a plugin is called, for the only one as for each of several. */
export const SIDECAR_KEYS = {
  SidecarTokenFile: Type.Optional(
    Type.String({ description: "Bearer token for the plugin, read again for every call." }),
  ),
  SidecarTLS: Type.Optional(
    Type.Object(
      {
        CACertFile: Type.Optional(
          Type.String({ description: "Authority of the plugin's certificate (PEM)." }),
        ),
        CertFile: Type.Optional(
          Type.String({ description: "Certificate to show to the plugin (PEM)." }),
        ),
        KeyFile: Type.Optional(Type.String({ description: "Its key (PEM)." })),
      },
      closed,
    ),
  ),
};

const SIDECAR = Type.Object(SIDECAR_KEYS, closed);

/** Keys of several plugins behind one API server. */
export const SEVERAL_PLUGINS_KEYS = {
  Plugins: Type.Optional(
    Type.Record(
      Type.String(),
      Type.Object(
        {
          SidecarURL: Type.String({
            description: "The plugin: http://host, https://host or unix:///path.",
          }),
          SidecarPort: Type.Optional(Type.String({ description: "Port of SidecarURL." })),
          ...SIDECAR_KEYS,
          Nodes: Type.Array(Type.String(), {
            default: [],
            description:
              "Virtual nodes whose pods go to it, unless their annotation says otherwise.",
          }),
        },
        closed,
      ),
      { description: "Several plugins by name, instead of SidecarURL." },
    ),
  ),
  DefaultPlugin: Type.Optional(
    Type.String({
      description:
        "Of Plugins, the one for pods that neither the path of their node, nor their annotation interlink.eu/plugin, nor " +
        "their node places.",
    }),
  ),
  PlacementsFile: Type.Optional(
    Type.String({
      description:
        "With Plugins: the file that remembers which plugin has which pod; must outlive this process.",
    }),
  ),
};

const SEVERAL = Type.Object(SEVERAL_PLUGINS_KEYS, closed);

/** Several plugins by name. */
export interface SeveralSettings {
  plugins: Record<string, { address: string; sidecar: SidecarSettings; nodes: readonly string[] }>;
  defaultPlugin?: string;
  placements: string;
}

const NAME = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/;

/** `undefined` without `Plugins`. Throws `CliError` `usage` for what does not fit together. */
export function severalSettings(
  config: Static<typeof SEVERAL> & { SidecarURL?: string },
): SeveralSettings | undefined {
  const { Plugins, DefaultPlugin: defaultPlugin, PlacementsFile: placements } = config;
  const names = Object.keys(Plugins ?? {});
  if (Plugins === undefined || names.length === 0) {
    if (defaultPlugin === undefined && placements === undefined) return undefined;
    throw wrong("DefaultPlugin and PlacementsFile belong to Plugins: give it as well.");
  }
  if ((config.SidecarURL ?? "") !== "") {
    throw wrong("Give SidecarURL, or several plugins under Plugins, not both.");
  }
  const odd = names.find((name) => !NAME.test(name));
  if (odd !== undefined) {
    throw wrong(`Plugins.${odd}: a name has small letters, digits and dashes, 63 at most.`);
  }
  if (defaultPlugin !== undefined && !names.includes(defaultPlugin)) {
    throw wrong(`DefaultPlugin: Plugins has no ${defaultPlugin}; it has ${names.join(", ")}.`);
  }
  if (placements === undefined) {
    throw wrong(
      "Plugins: give PlacementsFile too, a file for which plugin has which pod; without it pods could be looked for at the wrong one.",
    );
  }
  const owner = new Map<string, string>();
  const plugins = Object.fromEntries(
    Object.entries(Plugins).map(([name, { SidecarURL, SidecarPort, Nodes: nodes, ...how }]) => {
      for (const node of nodes) {
        const other = owner.get(node);
        if (other !== undefined)
          throw wrong(`Plugins: both ${other} and ${name} have the node ${node}.`);
        owner.set(node, name);
      }
      const sidecar = sidecarSettings(how, `Plugins.${name}.`);
      return [name, { address: siteAddress(SidecarURL, SidecarPort), sidecar, nodes }];
    }),
  );
  return { plugins, placements, ...(defaultPlugin === undefined ? {} : { defaultPlugin }) };
}

/** How the plugin is called; `where` goes before the keys in errors. */
export function sidecarSettings(
  {
    SidecarTokenFile: tokenFile,
    SidecarTLS: { CACertFile: ca, CertFile: cert, KeyFile: key } = {},
  }: Static<typeof SIDECAR>,
  where = "",
): SidecarSettings {
  if ((cert === undefined) !== (key === undefined)) {
    throw wrong(`${where}SidecarTLS.CertFile and KeyFile belong together: give both.`);
  }
  return {
    ...(tokenFile === undefined ? {} : { tokenFile }),
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
  };
}

function wrong(sentence: string): CliError {
  return new CliError("usage", sentence);
}
