import { type Static, Type } from "typebox";
import { CliError } from "../cli-error.ts";
import type { ConfigPlace } from "./config-file.ts";
import { SERVER_FILE } from "./places.ts";
import {
  closed,
  ignoredKeys,
  LOGGING,
  logLevelOf,
  PLUGIN_KEYS,
  PPROF,
  TLS,
  TRACING,
} from "./shared-settings.ts";
import { listenAddress, siteAddress } from "./site-address.ts";

export const SERVER_CONFIG_PLACE: ConfigPlace = {
  variables: ["INTERLINKCONFIGPATH"],
  usual: SERVER_FILE,
};

/** The file of an interLink API server (reference: wire and node, 2.1), and the older one that all processes shared. */
export const SERVER_CONFIG = Type.Object(
  {
    InterlinkAddress: Type.Optional(
      Type.String({
        description:
          "Where to listen: http://host, https://host or unix:///path. Without it, and with a port: all addresses.",
        env: ["INTERLINKURL"],
      }),
    ),
    InterlinkPort: Type.Optional(
      Type.String({ description: "Port of InterlinkAddress.", env: ["INTERLINKPORT"] }),
    ),
    SidecarURL: Type.Optional(
      Type.String({
        description: "The plugin: http://host or unix:///path.",
        env: ["SIDECARURL"],
      }),
    ),
    SidecarPort: Type.Optional(
      Type.String({ description: "Port of SidecarURL.", env: ["SIDECARPORT"] }),
    ),
    TLS: Type.Optional(TLS),
    TokenFile: Type.Optional(
      Type.String({
        description: "Bearer tokens of those who may call, one a line, read again when it changes.",
      }),
    ),
    ...LOGGING,
    Pprof: PPROF,
    Tracing: TRACING,
    ...ignoredKeys("DataRootFolder"),
    ...ignoredKeys(
      "InterlinkURL VKConfigPath VKTokenFile ServiceAccount Namespace",
      "it is for the virtual node",
    ),
    ...PLUGIN_KEYS,
    JobScriptTemplate: Type.Optional(
      Type.String({ description: "Not served yet: a file with a template of job scripts." }),
    ),
    JobScriptBuildConfig: Type.Optional(
      Type.Unknown({ description: "Not served yet: asks a builder of job scripts." }),
    ),
  },
  closed,
);

/** What the file says in the words of the flags; a flag goes before it. */
export interface ServerSettings {
  plugin?: string;
  listen?: string;
  tokenFile?: string;
  logLevel?: string;
  /** Names of PEM files. `clientCa`: callers must show a certificate of this authority. */
  tls?: { cert: string; key: string; clientCa?: string };
}

/** Throws `CliError` `usage` for what would change jobs and cannot be done. */
export function serverSettings(config: Static<typeof SERVER_CONFIG>): ServerSettings {
  for (const key of ["JobScriptTemplate", "JobScriptBuildConfig"] as const) {
    if (config[key] === undefined || config[key] === "") continue;
    throw new CliError(
      "usage",
      `${key}: this API server builds no job scripts yet. Without the key it serves plugins that make their own.`,
    );
  }
  const { InterlinkAddress: address, InterlinkPort: port, SidecarURL: plugin } = config;
  const logLevel = logLevelOf(config);
  const tls = tlsFiles(config.TLS);
  return {
    ...(plugin === undefined ? {} : { plugin: siteAddress(plugin, config.SidecarPort) }),
    ...(address === undefined && port === undefined
      ? {}
      : { listen: listenAddress(address ?? "", port) }),
    ...(config.TokenFile === undefined ? {} : { tokenFile: config.TokenFile }),
    ...(logLevel === undefined ? {} : { logLevel }),
    ...(tls === undefined ? {} : { tls }),
  };
}

function tlsFiles(tls: Static<typeof TLS> | undefined): ServerSettings["tls"] {
  if (tls?.Enabled !== true) return undefined;
  const { CertFile: cert, KeyFile: key, CACertFile: clientCa } = tls;
  if (cert === undefined || key === undefined) {
    throw new CliError(
      "usage",
      "TLS is enabled: give TLS.CertFile and TLS.KeyFile, the server's certificate and its key.",
    );
  }
  return { cert, key, ...(clientCa === undefined ? {} : { clientCa }) };
}
