import { type Static, Type } from "typebox";

const text = Type.String({ minLength: 1 });
const texts = Type.Array(text);
const closed = { additionalProperties: false };
const id = Type.Integer({ minimum: 0, maximum: 2 ** 32 - 2 });
const name = Type.String({ pattern: "^[A-Za-z0-9._@+-]+$" });

const NO_EFFECT = "it had no effect in the earlier plugin either";

const FLAVOR = Type.Object(
  {
    Name: Type.Optional(text),
    Description: Type.Optional(Type.String()),
    CPUDefault: Type.Optional(Type.Integer({ minimum: 0 })),
    MemoryDefault: Type.Optional(Type.String()),
    UID: Type.Optional(id),
    SlurmFlags: Type.Optional(texts),
  },
  closed,
);

const NAMESPACE = Type.Object(
  {
    Account: Type.Optional(name),
    QOS: Type.Optional(name),
    Partition: Type.Optional(Type.String({ pattern: "^[A-Za-z0-9._@+,-]+$" })),
    Reservation: Type.Optional(name),
    Flavor: Type.Optional(text),
  },
  closed,
);

const CLAIM = Type.Object(
  {
    Namespace: Type.Optional(text),
    Claim: Type.Optional(text),
    Directory: Type.String({ pattern: "^/" }),
    ReadOnly: Type.Optional(Type.Boolean()),
  },
  closed,
);

const TAINT = Type.Object(
  {
    Key: text,
    Value: Type.Optional(Type.String()),
    Effect: Type.Union([
      Type.Literal("NoSchedule"),
      Type.Literal("PreferNoSchedule"),
      Type.Literal("NoExecute"),
    ]),
  },
  closed,
);

/** The configuration file of the Slurm plugin: the keys of the earlier plugin, and more in the same style. */
export const SLURM_CONFIG = Type.Object(
  {
    SidecarPort: Type.Optional(
      Type.String({ env: ["SIDECARPORT"], description: "Port to listen on." }),
    ),
    Socket: Type.Optional(
      Type.String({ description: "Where to listen, as unix:///path; goes before SidecarPort." }),
    ),
    DataRootFolder: Type.Optional(
      Type.String({ minLength: 1, description: "Where the pods' files are kept." }),
    ),
    VerboseLogging: Type.Optional(Type.Boolean({ description: "Log level debug." })),
    ErrorsOnlyLogging: Type.Optional(
      Type.Boolean({ description: "Log level error, unless VerboseLogging." }),
    ),
    SbatchPath: Type.Optional(
      Type.String({
        minLength: 1,
        env: ["SBATCHPATH"],
        description: "Path of the program (default: from PATH).",
      }),
    ),
    ScancelPath: Type.Optional(
      Type.String({
        minLength: 1,
        env: ["SCANCELPATH"],
        description: "Path of the program (default: from PATH).",
      }),
    ),
    SqueuePath: Type.Optional(
      Type.String({
        minLength: 1,
        env: ["SQUEUEPATH"],
        description: "Path of the program (default: from PATH).",
      }),
    ),
    SinfoPath: Type.Optional(
      Type.String({
        minLength: 1,
        env: ["SINFOPATH"],
        description: "Path of the program (default: from PATH).",
      }),
    ),
    ScontrolPath: Type.Optional(
      Type.String({ minLength: 1, description: "Path of the program (default: from PATH)." }),
    ),
    SacctPath: Type.Optional(
      Type.String({ minLength: 1, description: "Path of the program (default: from PATH)." }),
    ),
    SrunPath: Type.Optional(
      Type.String({ minLength: 1, description: "Path of the program (default: from PATH)." }),
    ),
    BashPath: Type.Optional(Type.String({ pattern: "^(/[^\\s]+)?$" })),
    CommandPrefix: Type.Optional(
      Type.String({ description: "Shell text of the site, read by each job before its pod." }),
    ),
    ContainerRuntime: Type.Optional(
      Type.Union([
        Type.Literal("singularity"),
        Type.Literal("apptainer"),
        Type.Literal("enroot"),
        Type.Literal(""),
      ]),
    ),
    ImagePrefix: Type.Optional(
      Type.String({
        description:
          "Put before images with neither a scheme nor an absolute path (default: docker://).",
      }),
    ),
    SingularityPath: Type.Optional(
      Type.String({
        minLength: 1,
        env: ["SINGULARITYPATH"],
        description: "Path of the program (default: from PATH).",
      }),
    ),
    SingularityDefaultOptions: Type.Optional(
      Type.Array(Type.String(), {
        description: "Options of every container (default: --no-eval --containall).",
      }),
    ),
    SingularityPrefix: Type.Optional(
      Type.String({ description: "Words before the runtime's own, e.g. of a wrapper." }),
    ),
    EnrootPath: Type.Optional(
      Type.String({ minLength: 1, description: "Path of the program (default: from PATH)." }),
    ),
    EnrootDefaultOptions: Type.Optional(
      Type.Array(Type.String(), { description: "Options of every container (default: --rw)." }),
    ),
    EnrootPrefix: Type.Optional(
      Type.String({ description: "Words before the runtime's own, e.g. of a wrapper." }),
    ),
    ImageCache: Type.Optional(Type.String({ pattern: "^/" })),
    ExportPodData: Type.Optional(
      Type.Boolean({
        description:
          "false refuses pods with ConfigMaps, Secrets, projected volumes, emptyDirs (default: true).",
      }),
    ),
    SharedFileSystem: Type.Optional(Type.Boolean()),
    EnableProbes: Type.Optional(
      Type.Boolean({ description: "false leaves probes out (default: true)." }),
    ),
    Flavors: Type.Optional(Type.Record(Type.String(), FLAVOR)),
    DefaultFlavor: Type.Optional(Type.String({ description: "Of pods that name none." })),
    DefaultUID: Type.Optional(id),
    AllowedUIDs: Type.Optional(
      Type.Array(Type.String(), { description: "Numbers, or ranges such as 1000-1999." }),
    ),
    Namespaces: Type.Optional(Type.Record(Type.String(), NAMESPACE)),
    ForbiddenFlags: Type.Optional(texts),
    AllowShellAnnotations: Type.Optional(
      Type.Boolean({
        description: "Pods may bring shell text for the compute node (default: false).",
      }),
    ),
    AllowRuntimeOptions: Type.Optional(
      Type.Boolean({ description: "Pods may add options of the runtime (default: true)." }),
    ),
    Gres: Type.Optional(
      Type.Record(Type.String(), Type.String({ pattern: "^[A-Za-z0-9_]+(:[A-Za-z0-9_.-]+)?$" })),
    ),
    TmpDisk: Type.Optional(
      Type.Boolean({
        description: "Ask for --tmp as pods ask for ephemeral-storage (default: false).",
      }),
    ),
    Requeue: Type.Optional(
      Type.Boolean({ description: "Slurm may put jobs back into the queue (default: false)." }),
    ),
    HostPaths: Type.Optional(Type.Array(Type.String({ pattern: "^/" }))),
    Claims: Type.Optional(Type.Array(CLAIM)),
    Taints: Type.Optional(Type.Array(TAINT)),
    ResourceScriptPath: Type.Optional(
      Type.String({ description: "A program that tells the node's capacity as JSON." }),
    ),
    Partitions: Type.Optional(Type.Array(name)),
    Pods: Type.Optional(Type.Integer({ minimum: 1 })),
    PassEnvironment: Type.Optional(
      Type.Array(Type.String({ pattern: "^[A-Za-z_][A-Za-z0-9_]*$" })),
    ),
    PollSeconds: Type.Optional(Type.Number({ minimum: 1, maximum: 300 })),
    CommandSeconds: Type.Optional(Type.Number({ minimum: 1, maximum: 600 })),
    Tsocks: Type.Optional(
      Type.Boolean({ description: "Not offered; true stops the start.", env: ["TSOCKS"] }),
    ),
    TsocksPath: Type.Optional(Type.String({ description: "Not offered." })),
    TsocksLoginNode: Type.Optional(Type.String({ description: "Not offered." })),
    Namespace: Type.Optional(Type.Unknown({ ignored: NO_EFFECT })),
    VKConfigPath: Type.Optional(Type.Unknown({ ignored: NO_EFFECT })),
    Tracing: Type.Optional(
      Type.Unknown({ ignored: "this plugin sends no traces", env: ["ENABLE_TRACING"] }),
    ),
  },
  closed,
);

/** What the file held, once it was found sound. */
export type FileSettings = Static<typeof SLURM_CONFIG>;
