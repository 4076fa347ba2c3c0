import { type TOptional, type TUnknown, Type } from "typebox";

const IGNORED = "it has no effect";

/** Keys that are accepted and have no effect: `NAME NAME …`, and why. */
export function ignoredKeys(names: string, why = IGNORED): Record<string, TOptional<TUnknown>> {
  return Object.fromEntries(
    names.split(" ").map((name) => [name, Type.Optional(Type.Unknown({ ignored: why }))]),
  );
}

/** Keys of the older file, which all three processes read, that concern only the plugin. */
export const PLUGIN_KEYS = ignoredKeys(
  "SbatchPath ScancelPath SqueuePath CommandPrefix ExportPodData Tsocks TsocksPath TsocksLoginNode TsocksConfig " +
    "BashPath SingularityPrefix Socket",
  "it is for the plugin",
);

export const closed = { additionalProperties: false };

/** `TLS`: certificates of this process. */
export const TLS = Type.Object(
  {
    Enabled: Type.Boolean({ default: false, description: "Use the certificates below." }),
    CertFile: Type.Optional(Type.String({ description: "Own certificate (PEM)." })),
    KeyFile: Type.Optional(Type.String({ description: "Its key (PEM)." })),
    CACertFile: Type.Optional(
      Type.String({ description: "Authority of the other side's certificate (PEM)." }),
    ),
  },
  closed,
);

export const PPROF = Type.Optional(
  Type.Unknown({
    ignored: "there is no profiler to be asked over HTTP; start Node with --cpu-prof instead",
    env: ["ENABLE_PPROF"],
  }),
);

export const TRACING = Type.Optional(
  Type.Unknown({
    ignored: "spans are sent by the environment: ENABLE_TRACING=1 and the variables TELEMETRY_*",
  }),
);

export const LOGGING = {
  VerboseLogging: Type.Boolean({ default: false, description: "Log level debug." }),
  ErrorsOnlyLogging: Type.Boolean({
    default: false,
    description: "Log level error, unless VerboseLogging.",
  }),
};

/** The level of those two keys; `undefined` if neither says one. As in the existing programs, verbose goes first. */
export function logLevelOf(config: {
  VerboseLogging: boolean;
  ErrorsOnlyLogging: boolean;
}): string | undefined {
  if (config.VerboseLogging) return "debug";
  return config.ErrorsOnlyLogging ? "error" : undefined;
}
