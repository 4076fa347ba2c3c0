import { type ConfigSources, readConfig } from "@interlink/plugin-sdk";
import type { JobConfig } from "@interlink/protocol";
import type { JwtCallersOptions, ServerLimits, ServerOptions } from "@interlink/server";
import { type Static, Type } from "typebox";
import { CliError } from "../cli-error.ts";
import type { ConfigPlace } from "./config-file.ts";
import { SERVER_FILE } from "./places.ts";
import {
  SEVERAL_PLUGINS_KEYS,
  type SeveralSettings,
  SIDECAR_KEYS,
  type SidecarSettings,
  severalSettings,
  sidecarSettings,
} from "./several-plugins.ts";
import {
  closed,
  ignoredKeys,
  LOGGING,
  logLevelOf,
  PLUGIN_KEYS,
  type ProfilerPlace,
  pprof,
  profilerOf,
  TLS,
  TRACING,
} from "./shared-settings.ts";
import { listenAddress, siteAddress } from "./site-address.ts";

export const SERVER_CONFIG_PLACE: ConfigPlace = {
  variables: ["INTERLINKCONFIGPATH"],
  usual: SERVER_FILE,
};

const name = (description: string) => Type.String({ default: "", description });
const bytes = (description: string, mib: number) =>
  Type.Optional(
    Type.Integer({
      description: `${description} Most bytes of one body; ${mib * 1024 * 1024} unless given.`,
      minimum: 1024,
    }),
  );
const flag = (description: string) => Type.Boolean({ default: false, description });

/** Lets virtual nodes name a builder of job scripts; what stands here is told to it. */
const JOB_SCRIPT_BUILD_CONFIG = Type.Object(
  {
    singularity_hub: Type.Object(
      {
        server: name("A proxy of image registries."),
        master_token: name("Its token; a secret."),
        cache_validity_seconds: Type.Integer({
          default: 0,
          minimum: 0,
          description: "How long what it has kept is good.",
        }),
      },
      closed,
    ),
    apptainer_options: Type.Object(
      {
        executable: name("For instance apptainer."),
        fakeroot: flag("--fakeroot"),
        containall: flag("--containall"),
        fuse_mode: name("How volumes are mounted."),
        no_init: flag("--no-init"),
        no_home: flag("--no-home"),
        no_privs: flag("--no-privs"),
        nvidia_support: flag("--nv"),
        cleanenv: flag("--cleanenv"),
        unsquash: flag("--unsquash"),
      },
      closed,
    ),
    volumes_options: Type.Object(
      {
        scratch_area: name("Directory for what is thrown away."),
        apptainer_cachedir: name("Directory of Apptainer's cache."),
        image_dir: name("Directory of images."),
        additional_directories_in_path: Type.Array(Type.String(), {
          default: [],
          description: "Directories that jobs have in PATH besides the usual ones.",
        }),
        fuse_sleep_seconds: Type.Integer({
          default: 0,
          minimum: 0,
          description: "How long a job waits for its FUSE volumes to be mounted.",
        }),
      },
      closed,
    ),
  },
  closed,
);

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
        description: "The plugin: http://host, https://host or unix:///path.",
        env: ["SIDECARURL"],
      }),
    ),
    SidecarPort: Type.Optional(
      Type.String({ description: "Port of SidecarURL.", env: ["SIDECARPORT"] }),
    ),
    SocketMode: Type.Optional(
      Type.String({
        description: "Mode of the socket file if InterlinkAddress is one; 0660 unless given.",
        pattern: "^0?[0-7]{3}$",
      }),
    ),
    ...SIDECAR_KEYS,
    ...SEVERAL_PLUGINS_KEYS,
    TLS: Type.Optional(TLS),
    TokenFile: Type.Optional(
      Type.String({
        description:
          "Bearer tokens of those who may call, one a line, read again when it changes; behind one may stand whose it is, " +
          "and namespaces=lab,lab-* for whose pods.",
      }),
    ),
    AllowedSubjects: Type.Optional(
      Type.Record(
        Type.String(),
        Type.Array(Type.String({ minLength: 1 }), {
          description:
            "Who of those with a certificate of TLS.CACertFile may call: common names (node-1, lab-*), each with its " +
            "namespaces (lab, lab-*, *). Without it every certificate of that authority may, for all namespaces.",
        }),
      ),
    ),
    AllowAnonymous: Type.Optional(
      Type.Boolean({
        description:
          "true: anyone who reaches the address may run pods, for trials or behind a proxy that checks callers. false: no " +
          "start without TokenFile, OIDC or TLS.CACertFile, even for an address that only this file gives.",
        env: ["INTERLINK_ALLOW_ANONYMOUS"],
      }),
    ),
    RateLimit: Type.Optional(
      Type.Object(
        {
          PerSecond: Type.Number({
            description: "Requests of one caller a second, on the long run; more are answered 429.",
            exclusiveMinimum: 0,
          }),
          Burst: Type.Integer({
            default: 100,
            minimum: 1,
            description: "Requests of one caller at once after a pause.",
          }),
        },
        closed,
      ),
    ),
    BodyLimits: Type.Optional(
      Type.Object(
        {
          Create: bytes("A pod with its ConfigMaps and Secrets.", 32),
          Status: bytes("A question about pods, which holds them whole.", 128),
          Other: bytes("Anything else.", 4),
        },
        closed,
      ),
    ),
    OIDC: Type.Optional(
      Type.Object(
        {
          Issuer: Type.String({
            description: "Takes bearer tokens (JWT) of this issuer: https://…",
            pattern: "^https?://",
          }),
          Audience: Type.String({ description: "For whom they must be made.", minLength: 1 }),
          JWKSURL: Type.Optional(
            Type.String({ description: "Its keys; without it they are looked up at the issuer." }),
          ),
          RequiredClaims: Type.Optional(
            Type.Record(
              Type.String(),
              Type.Array(Type.String(), {
                minItems: 1,
                description: "Values of this claim with which one may call.",
              }),
            ),
          ),
          NamespaceClaim: Type.Optional(
            Type.String({
              description:
                "Claim by which a caller may touch only pods of some namespaces; dots go into objects.",
              minLength: 1,
            }),
          ),
          Namespaces: Type.Optional(
            Type.Record(
              Type.String(),
              Type.Array(Type.String({ minLength: 1 }), {
                description:
                  "Namespaces (lab, lab-*, *) by the values of NamespaceClaim. Without it, a value is a namespace.",
              }),
            ),
          ),
        },
        closed,
      ),
    ),
    ...LOGGING,
    Pprof: pprof(6061),
    Tracing: TRACING,
    ...ignoredKeys("DataRootFolder"),
    ...ignoredKeys(
      "InterlinkURL VKConfigPath VKTokenFile ServiceAccount Namespace",
      "it is for the virtual node",
    ),
    ...PLUGIN_KEYS,
    JobScriptTemplate: Type.Optional(
      Type.String({
        description:
          "A file with a template of job scripts, in the language of Go's text/template; see docs/job-scripts.md.",
      }),
    ),
    JobScriptBuildConfig: Type.Optional(JOB_SCRIPT_BUILD_CONFIG),
  },
  closed,
);

export const readServerConfig = (sources: ConfigSources) => readConfig(SERVER_CONFIG, sources);

/** What the file says in the words of the flags; a flag goes before it. */
export interface ServerSettings {
  plugin?: string;
  sidecar?: SidecarSettings;
  /** Instead of one plugin. */
  several?: SeveralSettings;
  listen?: string;
  /** Octal. */
  socketMode?: string;
  tokenFile?: string;
  /** Namespaces by the common names of client certificates that may call. */
  subjects?: Readonly<Record<string, readonly string[]>>;
  /** Whether it was said that nobody, or that somebody, must be known. */
  allowAnonymous?: boolean;
  /** Requests of each caller. */
  rateLimit?: NonNullable<ServerOptions["rateLimit"]>;
  limits?: Partial<ServerLimits>;
  /** Tokens of an issuer are taken. */
  issuer?: JwtCallersOptions;
  logLevel?: string;
  profiler?: ProfilerPlace;
  /** Virtual nodes may name a builder of job scripts, which is told this. */
  jobConfig?: JobConfig;
  /** A file: makes the job scripts of pods that name no builder. */
  jobScriptTemplate?: string;
  /** Names of PEM files. `clientCa`: callers must show a certificate of this authority. */
  tls?: { cert: string; key: string; clientCa?: string };
}

/** Throws `CliError` `usage` for what would change jobs and cannot be done. */
export function serverSettings(config: Static<typeof SERVER_CONFIG>): ServerSettings {
  const { InterlinkAddress: address, InterlinkPort: port, SidecarURL: plugin } = config;
  const logLevel = logLevelOf(config);
  const tls = tlsFiles(config.TLS);
  if (config.AllowedSubjects !== undefined && tls?.clientCa === undefined) {
    throw new CliError(
      "usage",
      "AllowedSubjects are names of client certificates: enable TLS and give TLS.CACertFile.",
    );
  }
  const sidecar = sidecarSettings(config);
  const several = severalSettings(config);
  const profiler = profilerOf(config.Pprof);
  return {
    ...(plugin === undefined ? {} : { plugin: siteAddress(plugin, config.SidecarPort) }),
    ...(address === undefined && port === undefined
      ? {}
      : { listen: listenAddress(address ?? "", port) }),
    ...(config.SocketMode === undefined ? {} : { socketMode: config.SocketMode }),
    ...(Object.keys(sidecar).length === 0 ? {} : { sidecar }),
    ...(several === undefined ? {} : { several }),
    ...(config.TokenFile === undefined ? {} : { tokenFile: config.TokenFile }),
    ...(config.AllowedSubjects === undefined ? {} : { subjects: config.AllowedSubjects }),
    ...(config.AllowAnonymous === undefined ? {} : { allowAnonymous: config.AllowAnonymous }),
    ...(config.RateLimit === undefined
      ? {}
      : { rateLimit: { perSecond: config.RateLimit.PerSecond, burst: config.RateLimit.Burst } }),
    ...(config.BodyLimits === undefined ? {} : { limits: bodyLimits(config.BodyLimits) }),
    ...(config.OIDC === undefined ? {} : { issuer: issuerOf(config.OIDC) }),
    ...(logLevel === undefined ? {} : { logLevel }),
    ...(profiler === undefined ? {} : { profiler }),
    ...(config.JobScriptBuildConfig === undefined
      ? {}
      : { jobConfig: jobConfig(config.JobScriptBuildConfig) }),
    ...((config.JobScriptTemplate ?? "") === ""
      ? {}
      : { jobScriptTemplate: config.JobScriptTemplate }),
    ...(tls === undefined ? {} : { tls }),
  };
}

function bodyLimits(
  limits: NonNullable<Static<typeof SERVER_CONFIG>["BodyLimits"]>,
): Partial<ServerLimits> {
  const { Create, Status, Other } = limits;
  return {
    ...(Create === undefined ? {} : { createBytes: Create }),
    ...(Status === undefined ? {} : { statusBytes: Status }),
    ...(Other === undefined ? {} : { otherBytes: Other }),
  };
}

/** The file's names are not those of the wire. */
function jobConfig({
  singularity_hub: hub,
  apptainer_options: apptainer,
  volumes_options: volumes,
}: Static<typeof JOB_SCRIPT_BUILD_CONFIG>): JobConfig {
  const { fuse_mode, no_init, no_home, no_privs, nvidia_support, ...same } = apptainer;
  return {
    SingularityHubProxy: hub,
    ApptainerOptions: {
      ...same,
      fuseMode: fuse_mode,
      noInit: no_init,
      noHome: no_home,
      noPrivs: no_privs,
      nvidiaSupport: nvidia_support,
    },
    Volumes: volumes,
  };
}

function issuerOf(oidc: NonNullable<Static<typeof SERVER_CONFIG>["OIDC"]>): JwtCallersOptions {
  const { Issuer: issuer, Audience: audience, JWKSURL: jwksUrl, RequiredClaims: claims } = oidc;
  const { NamespaceClaim: claim, Namespaces: mapping } = oidc;
  if (claim === undefined && mapping !== undefined) {
    throw new CliError(
      "usage",
      "OIDC.Namespaces: say in OIDC.NamespaceClaim which claim is meant.",
    );
  }
  return {
    issuer,
    audience,
    ...(claim === undefined
      ? {}
      : { namespaces: { claim, ...(mapping === undefined ? {} : { mapping }) } }),
    ...(jwksUrl === undefined ? {} : { jwksUrl }),
    ...(claims === undefined ? {} : { claims }),
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
