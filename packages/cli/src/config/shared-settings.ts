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

/** `Pprof`, whose port differs between the programs. */
export const pprof = (port: number) =>
  Type.Optional(
    Type.Object(
      {
        Enabled: Type.Boolean({
          default: false,
          description: "Let this machine take CPU and heap profiles, under /debug/pprof/.",
          env: ["ENABLE_PPROF"],
        }),
        Address: Type.String({
          default: "127.0.0.1",
          description: "Where the profiler listens; always an address of the machine's own.",
          env: ["PPROF_ADDRESS"],
        }),
        Port: Type.String({
          default: String(port),
          description: "Port of the profiler.",
          env: ["PPROF_PORT"],
          pattern: "^[0-9]{1,5}$",
        }),
      },
      closed,
    ),
  );

/** Where a profiler is to listen; `undefined`: nowhere. */
export function profilerOf(
  config: { Enabled: boolean; Address: string; Port: string } | undefined,
): ProfilerPlace | undefined {
  if (config?.Enabled !== true) return undefined;
  return { address: config.Address, port: Number(config.Port) };
}

export interface ProfilerPlace {
  address: string;
  port: number;
}

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
