import { type Static, Type } from "typebox";
import { HOST_ACCESS } from "../pods/forbidden.ts";

const text = Type.String({ minLength: 1 });
const texts = (description: string) => Type.Optional(Type.Array(text, { description }));
const closed = { additionalProperties: false };
const percent = (description: string) =>
  Type.Optional(Type.Integer({ minimum: 1, maximum: 100, description }));

const NO_EFFECT = "it had no effect in the earlier plugin either";

/** Keys of the earlier plugin's file that mean nothing here, each with its variable; it read most of them and used none. */
const IGNORED = Object.fromEntries(
  (
    "VKConfigPath VKTokenFile InterlinkURL SidecarURL SbatchPath ScancelPath SqueuePath InterlinkPort CommandPrefix " +
    "ExportPodData ServiceAccount Namespace Tsocks TsocksPath TsocksConfig TsocksLoginNode BashPath PodIP SingularityPrefix"
  )
    .split(" ")
    .map((key) => [key, Type.Optional(Type.Unknown({ ignored: NO_EFFECT, env: variableOf(key) }))]),
);

/** The earlier plugin read a few of its keys from variables too. */
function variableOf(key: string): string[] {
  const read =
    "InterlinkURL SidecarURL InterlinkPort SbatchPath ScancelPath Tsocks TsocksPath VKTokenFile";
  if (key === "PodIP") return ["POD_IP"];
  return read.split(" ").includes(key) ? [key.toUpperCase()] : [];
}

const COLLECTION = Type.Object(
  {
    highPercent: percent("Use of the disk at which images are removed (default: 85)."),
    lowPercent: percent("And down to which (default: 80)."),
    minAgeSeconds: Type.Optional(
      Type.Number({
        minimum: 0,
        description: "Images that were pulled or used so short a time ago stay (default: 120).",
      }),
    ),
    space: Type.Optional(
      Type.String({
        description: "What images may take, for instance 200Gi (default: the engine's disk).",
      }),
    ),
    others: Type.Optional(
      Type.Boolean({ description: "Also images that this plugin did not pull (default: false)." }),
    ),
  },
  closed,
);

const IMAGES = Type.Object(
  {
    prePull: texts("Images that are pulled at the start, and never removed."),
    prePullSecrets: Type.Optional(
      Type.String({ minLength: 1, description: "A config.json of docker with their logins." }),
    ),
    garbageCollection: Type.Optional(
      Type.Union([Type.Literal(false), COLLECTION], {
        description: "When unused images are removed; false: never.",
      }),
    ),
  },
  closed,
);

const CLAIM = Type.Object(
  {
    namespace: Type.Optional(
      Type.String({ description: "A name, or a pattern with * (default: all)." }),
    ),
    claim: Type.Optional(Type.String({ description: "Likewise." })),
    directory: Type.Optional(
      Type.String({
        description: "Where the claim lies; {namespace} and {claim} are filled in. Or:",
      }),
    ),
    volume: Type.Optional(Type.String({ description: "A volume of the engine, likewise." })),
    readOnly: Type.Optional(Type.Boolean({ description: "Default: false." })),
  },
  closed,
);

const DEVICE = Type.Object(
  {
    resource: Type.String({
      pattern: "^[a-z0-9.-]+/[A-Za-z0-9._-]+$",
      description: "For instance nvidia.com/gpu.",
    }),
    kind: Type.Optional(
      Type.Union(
        [Type.Literal("nodes"), Type.Literal("nvidia"), Type.Literal("amd"), Type.Literal("cdi")],
        { description: "How containers get it (default: nodes)." },
      ),
    ),
    units: Type.Optional(
      Type.Array(
        Type.Object(
          {
            id: Type.String({ minLength: 1, description: "UUID, index, CDI name, or any name." }),
            devices: texts("Device nodes of the host."),
          },
          closed,
        ),
      ),
    ),
    shared: texts("Device nodes that come with every unit."),
  },
  closed,
);

/** The configuration file of the Docker plugin: its options by their names, and the keys of the earlier plugin. */
export const DOCKER_CONFIG = Type.Object(
  {
    dockerHost: Type.Optional(
      Type.String({
        minLength: 1,
        env: ["DOCKER_HOST"],
        description:
          "The engine: unix:///path, tcp://host:port or ssh://host (default: its usual socket).",
      }),
    ),
    plugin: Type.Optional(
      Type.String({
        pattern: "^[A-Za-z0-9][A-Za-z0-9_.-]{0,62}$",
        description: "Label that tells two plugins on one engine apart (default: from --root).",
      }),
    ),
    network: Type.Optional(
      Type.String({ minLength: 1, description: "Network of the engine that pods are on." }),
    ),
    pods: Type.Optional(
      Type.Integer({ minimum: 1, description: "Told as the node's capacity of pods." }),
    ),
    log: Type.Optional(
      Type.Object(
        {
          maxSize: Type.String({ description: "Of a container's log file, for instance 10m." }),
          maxFiles: Type.Integer({ minimum: 1, description: "How many of them are kept." }),
        },
        closed,
      ),
    ),
    dns: Type.Optional(
      Type.Object(
        {
          clusterDns: texts("Addresses of the cluster's DNS, for dnsPolicy ClusterFirst."),
          clusterDomain: Type.Optional(Type.String({ description: "For instance cluster.local." })),
        },
        closed,
      ),
    ),
    runtimeClasses: Type.Optional(
      Type.Record(Type.String(), Type.String({ description: "Runtime of the engine." })),
    ),
    seccompProfiles: Type.Optional(
      Type.String({
        minLength: 1,
        description: "Directory of the profiles that pods name as Localhost.",
      }),
    ),
    hostPaths: texts("Directories of the host below which pods may mount hostPath volumes."),
    hostIP: Type.Optional(
      Type.String({ pattern: "^[0-9A-Fa-f.:]+$", description: "Told as the pods' host address." }),
    ),
    forbid: Type.Optional(
      Type.Array(Type.Enum([...HOST_ACCESS]), {
        description: `What of the host pods may not ask for: ${HOST_ACCESS.join(", ")}.`,
      }),
    ),
    allowUnheldMounts: Type.Optional(
      Type.Boolean({
        description: "Mount parts of volumes also where this process cannot hold on to them.",
      }),
    ),
    images: Type.Optional(IMAGES),
    claims: Type.Optional(Type.Array(CLAIM)),
    devices: Type.Optional(Type.Array(DEVICE)),
    SidecarPort: Type.Optional(
      Type.String({ env: ["SIDECARPORT"], description: "Port to listen on, on 127.0.0.1." }),
    ),
    Socket: Type.Optional(
      Type.String({ description: "Where to listen, as unix:///path; goes before SidecarPort." }),
    ),
    DataRootFolder: Type.Optional(Type.String({ description: "Where the pods' files are kept." })),
    VerboseLogging: Type.Optional(Type.Boolean({ description: "Log level debug." })),
    ErrorsOnlyLogging: Type.Optional(
      Type.Boolean({ description: "Log level error, unless VerboseLogging." }),
    ),
    ...IGNORED,
  },
  closed,
);

export type DockerFile = Static<typeof DOCKER_CONFIG>;
