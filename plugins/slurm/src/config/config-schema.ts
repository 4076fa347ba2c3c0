import { type Static, Type } from "typebox";
import { Compile } from "typebox/compile";

const text = Type.String({ minLength: 1 });
const texts = Type.Array(text);
const closed = { additionalProperties: false };
const id = Type.Integer({ minimum: 0, maximum: 2 ** 32 - 2 });
const name = Type.String({ pattern: "^[A-Za-z0-9._@+-]+$" });

const FLAVOR = Type.Object(
  {
    Name: Type.Optional(text),
    Description: Type.Optional(Type.String()),
    CPUDefault: Type.Optional(Type.Integer({ minimum: 0 })),
    MemoryDefault: Type.Optional(Type.Union([Type.String(), Type.Integer({ minimum: 0 })])),
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
const SCHEMA = Type.Object(
  {
    SidecarPort: Type.Optional(Type.Union([Type.String(), Type.Integer()])),
    Socket: Type.Optional(Type.String()),
    DataRootFolder: Type.Optional(text),
    VerboseLogging: Type.Optional(Type.Boolean()),
    ErrorsOnlyLogging: Type.Optional(Type.Boolean()),
    SbatchPath: Type.Optional(text),
    ScancelPath: Type.Optional(text),
    SqueuePath: Type.Optional(text),
    SinfoPath: Type.Optional(text),
    ScontrolPath: Type.Optional(text),
    SacctPath: Type.Optional(text),
    SrunPath: Type.Optional(text),
    BashPath: Type.Optional(Type.String({ pattern: "^(/[^\\s]+)?$" })),
    CommandPrefix: Type.Optional(Type.String()),
    ContainerRuntime: Type.Optional(
      Type.Union([
        Type.Literal("singularity"),
        Type.Literal("apptainer"),
        Type.Literal("enroot"),
        Type.Literal(""),
      ]),
    ),
    ImagePrefix: Type.Optional(Type.String()),
    SingularityPath: Type.Optional(text),
    SingularityDefaultOptions: Type.Optional(Type.Array(Type.String())),
    SingularityPrefix: Type.Optional(Type.String()),
    EnrootPath: Type.Optional(text),
    EnrootDefaultOptions: Type.Optional(Type.Array(Type.String())),
    EnrootPrefix: Type.Optional(Type.String()),
    ImageCache: Type.Optional(Type.String({ pattern: "^/" })),
    ExportPodData: Type.Optional(Type.Boolean()),
    SharedFileSystem: Type.Optional(Type.Boolean()),
    EnableProbes: Type.Optional(Type.Boolean()),
    Flavors: Type.Optional(Type.Record(Type.String(), FLAVOR)),
    DefaultFlavor: Type.Optional(Type.String()),
    DefaultUID: Type.Optional(id),
    AllowedUIDs: Type.Optional(Type.Array(Type.Union([Type.String(), Type.Integer()]))),
    Namespaces: Type.Optional(Type.Record(Type.String(), NAMESPACE)),
    ForbiddenFlags: Type.Optional(texts),
    AllowShellAnnotations: Type.Optional(Type.Boolean()),
    AllowRuntimeOptions: Type.Optional(Type.Boolean()),
    Gres: Type.Optional(
      Type.Record(Type.String(), Type.String({ pattern: "^[A-Za-z0-9_]+(:[A-Za-z0-9_.-]+)?$" })),
    ),
    TmpDisk: Type.Optional(Type.Boolean()),
    Requeue: Type.Optional(Type.Boolean()),
    HostPaths: Type.Optional(Type.Array(Type.String({ pattern: "^/" }))),
    Claims: Type.Optional(Type.Array(CLAIM)),
    Taints: Type.Optional(Type.Array(TAINT)),
    ResourceScriptPath: Type.Optional(Type.String()),
    Partitions: Type.Optional(Type.Array(name)),
    Pods: Type.Optional(Type.Integer({ minimum: 1 })),
    PassEnvironment: Type.Optional(
      Type.Array(Type.String({ pattern: "^[A-Za-z_][A-Za-z0-9_]*$" })),
    ),
    PollSeconds: Type.Optional(Type.Number({ minimum: 1, maximum: 300 })),
    CommandSeconds: Type.Optional(Type.Number({ minimum: 1, maximum: 600 })),
    Tsocks: Type.Optional(Type.Boolean()),
    TsocksPath: Type.Optional(Type.String()),
    TsocksLoginNode: Type.Optional(Type.String()),
    Namespace: Type.Optional(Type.Unknown()),
    VKConfigPath: Type.Optional(Type.Unknown()),
  },
  closed,
);

/** What the file held, once it was found sound. */
export type FileSettings = Static<typeof SCHEMA>;

export const FILE_VALIDATOR = Compile(SCHEMA);
/** Every key at any depth, for suggestions. */
export const FILE_KEYS: readonly string[] = [
  ...Object.keys(SCHEMA.properties),
  ...[FLAVOR, NAMESPACE, CLAIM, TAINT].flatMap(({ properties }) => Object.keys(properties)),
];
