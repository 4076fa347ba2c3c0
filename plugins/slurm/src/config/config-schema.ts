import { type Static, Type } from "typebox";

const text = Type.String({ minLength: 1 });
const closed = { additionalProperties: false };
const USER_ID = { minimum: 0, maximum: 2 ** 32 - 2 };
const NAME = "^[A-Za-z0-9._@+-]+$";

const NO_EFFECT = "it had no effect in the earlier plugin either";

const FLAVOR = Type.Object(
  {
    Name: Type.Optional(
      Type.String({ minLength: 1, description: "By which pods ask for it (default: its key)." }),
    ),
    Description: Type.Optional(Type.String({ description: "For people; read by nothing." })),
    CPUDefault: Type.Optional(
      Type.Integer({ minimum: 0, description: "CPUs of pods that state none (default: 1)." }),
    ),
    MemoryDefault: Type.Optional(
      Type.String({ description: "Memory of pods that state none, such as 2G, 512M or 64K." }),
    ),
    UID: Type.Optional(
      Type.Integer({ ...USER_ID, description: "As whom its jobs run; needs the plugin as root." }),
    ),
    SlurmFlags: Type.Optional(
      Type.Array(text, { description: "Options of sbatch; each begins with a dash." }),
    ),
  },
  closed,
);

const NAMESPACE = Type.Object(
  {
    Account: Type.Optional(
      Type.String({
        pattern: NAME,
        description: "Account of its jobs; its pods cannot change it.",
      }),
    ),
    QOS: Type.Optional(
      Type.String({ pattern: NAME, description: "QOS of its jobs; its pods cannot change it." }),
    ),
    Partition: Type.Optional(
      Type.String({
        pattern: "^[A-Za-z0-9._@+,-]+$",
        description: "Partition of its jobs, or several with commas; its pods cannot change it.",
      }),
    ),
    Reservation: Type.Optional(
      Type.String({ pattern: NAME, description: "Reservation that its jobs use, always." }),
    ),
    Flavor: Type.Optional(
      Type.String({ minLength: 1, description: "Of its pods that name none." }),
    ),
  },
  closed,
);

const CLAIM = Type.Object(
  {
    Namespace: Type.Optional(
      Type.String({ minLength: 1, description: "Whose claims these are (default: everybody's)." }),
    ),
    Claim: Type.Optional(
      Type.String({ minLength: 1, description: "Name of the claim (default: any)." }),
    ),
    Directory: Type.String({
      pattern: "^/",
      description: "Where it lies on compute nodes; {namespace} and {claim} are filled in.",
    }),
    ReadOnly: Type.Optional(
      Type.Boolean({ description: "Pods cannot write to it (default: false)." }),
    ),
  },
  closed,
);

const TAINT = Type.Object(
  {
    Key: Type.String({ minLength: 1, description: "Of the node's taint." }),
    Value: Type.Optional(Type.String({ description: "Of the taint (default: none)." })),
    Effect: Type.Union(
      [Type.Literal("NoSchedule"), Type.Literal("PreferNoSchedule"), Type.Literal("NoExecute")],
      { description: "On pods that do not tolerate it." },
    ),
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
        description: "Path of sbatch (default: from PATH).",
      }),
    ),
    ScancelPath: Type.Optional(
      Type.String({
        minLength: 1,
        env: ["SCANCELPATH"],
        description: "Path of scancel (default: from PATH).",
      }),
    ),
    SqueuePath: Type.Optional(
      Type.String({
        minLength: 1,
        env: ["SQUEUEPATH"],
        description: "Path of squeue (default: from PATH).",
      }),
    ),
    SinfoPath: Type.Optional(
      Type.String({
        minLength: 1,
        env: ["SINFOPATH"],
        description: "Path of sinfo (default: from PATH).",
      }),
    ),
    ScontrolPath: Type.Optional(
      Type.String({ minLength: 1, description: "Path of scontrol (default: from PATH)." }),
    ),
    SacctPath: Type.Optional(
      Type.String({ minLength: 1, description: "Path of sacct (default: from PATH)." }),
    ),
    SrunPath: Type.Optional(
      Type.String({ minLength: 1, description: "Path of srun (default: from PATH)." }),
    ),
    BashPath: Type.Optional(
      Type.String({
        pattern: "^(/[^\\s]+)?$",
        description: "bash 4.2 or newer on the compute nodes (default: /bin/bash).",
      }),
    ),
    CommandPrefix: Type.Optional(
      Type.String({ description: "Shell text of the site, read by each job before its pod." }),
    ),
    ContainerRuntime: Type.Optional(
      Type.Union(
        [
          Type.Literal("singularity"),
          Type.Literal("apptainer"),
          Type.Literal("enroot"),
          Type.Literal(""),
        ],
        { description: "By what containers run (default: singularity)." },
      ),
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
        description: "Path of Apptainer or Singularity, on the compute nodes (default: from PATH).",
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
      Type.String({
        minLength: 1,
        description: "Path of enroot, on the compute nodes (default: from PATH).",
      }),
    ),
    EnrootDefaultOptions: Type.Optional(
      Type.Array(Type.String(), { description: "Options of every container (default: --rw)." }),
    ),
    EnrootPrefix: Type.Optional(
      Type.String({ description: "Words before the runtime's own, e.g. of a wrapper." }),
    ),
    ImageCache: Type.Optional(
      Type.String({
        pattern: "^/",
        description:
          "Directory on compute nodes for pulled images, one lock per image (default: below the home of the job's user).",
      }),
    ),
    PullOnLoginNode: Type.Optional(
      Type.Boolean({
        description:
          "Pull images where the plugin runs, into ImageCache, while the job is held in the queue: for compute nodes that cannot dial out (default: false, jobs pull).",
      }),
    ),
    PullSeconds: Type.Optional(
      Type.Integer({
        minimum: 1,
        description: "Deadline of one such pull, seconds (default: 3600).",
      }),
    ),
    ExportPodData: Type.Optional(
      Type.Boolean({
        description:
          "false refuses pods with ConfigMaps, Secrets, projected volumes, emptyDirs (default: true).",
      }),
    ),
    SharedFileSystem: Type.Optional(
      Type.Boolean({
        description:
          "false packs all of a pod into its job's script, as compute nodes see only the job's own directory (default: true; also by SHARED_FS).",
      }),
    ),
    EnableProbes: Type.Optional(
      Type.Boolean({ description: "false leaves probes out (default: true)." }),
    ),
    Flavors: Type.Optional(
      Type.Record(Type.String(), FLAVOR, {
        description: "Kinds of jobs, by the names that pods ask for them with.",
      }),
    ),
    DefaultFlavor: Type.Optional(
      Type.String({ description: "Of pods that name none, and whose namespace has none." }),
    ),
    DefaultUID: Type.Optional(
      Type.Integer({
        ...USER_ID,
        description: "As whom jobs run that ask for no one (default: the plugin's own user).",
      }),
    ),
    AllowedUIDs: Type.Optional(
      Type.Array(Type.String(), { description: "Numbers, or ranges such as 1000-1999." }),
    ),
    Namespaces: Type.Optional(
      Type.Record(Type.String(), NAMESPACE, {
        description: "What jobs of a namespace run with, by its name.",
      }),
    ),
    ForbiddenFlags: Type.Optional(
      Type.Array(text, { description: "Options of sbatch that pods may not set." }),
    ),
    AllowShellAnnotations: Type.Optional(
      Type.Boolean({
        description: "Pods may bring shell text for the compute node (default: false).",
      }),
    ),
    AllowRuntimeOptions: Type.Optional(
      Type.Boolean({ description: "Pods may add options of the runtime (default: true)." }),
    ),
    Gres: Type.Optional(
      Type.Record(
        Type.String(),
        Type.String({
          description:
            "Slurm's generic resource by Kubernetes resource, such as gpu:a100 for nvidia.com/gpu (default: gpu).",
          pattern: "^[A-Za-z0-9_]+(:[A-Za-z0-9_.-]+)?$",
        }),
      ),
    ),
    TmpDisk: Type.Optional(
      Type.Boolean({
        description: "Ask for --tmp as pods ask for ephemeral-storage (default: false).",
      }),
    ),
    Requeue: Type.Optional(
      Type.Boolean({ description: "Slurm may put jobs back into the queue (default: false)." }),
    ),
    HostPaths: Type.Optional(
      Type.Array(Type.String({ pattern: "^/" }), {
        description: "Directories of compute nodes below which pods may mount (default: none).",
      }),
    ),
    Claims: Type.Optional(
      Type.Array(CLAIM, { description: "Where persistent volume claims lie (default: nowhere)." }),
    ),
    Taints: Type.Optional(Type.Array(TAINT, { description: "Of the virtual node." })),
    ResourceScriptPath: Type.Optional(
      Type.String({ description: "A program that tells the node's capacity as JSON." }),
    ),
    Partitions: Type.Optional(
      Type.Array(Type.String({ pattern: NAME }), {
        description: "Counted as the node's capacity (default: all).",
      }),
    ),
    Pods: Type.Optional(
      Type.Integer({ minimum: 1, description: "How many pods the node takes at once." }),
    ),
    PassEnvironment: Type.Optional(
      Type.Array(Type.String({ pattern: "^[A-Za-z_][A-Za-z0-9_]*$" }), {
        description: "Variables of the plugin that jobs get, beside PATH, HOME and a few.",
      }),
    ),
    PollSeconds: Type.Optional(
      Type.Number({
        minimum: 1,
        maximum: 300,
        description: "Between two questions to Slurm while a job is open (default: 5).",
      }),
    ),
    CommandSeconds: Type.Optional(
      Type.Number({
        minimum: 1,
        maximum: 600,
        description: "Deadline of each of Slurm's programs (default: 30).",
      }),
    ),
    Tsocks: Type.Optional(
      Type.Boolean({
        description:
          "Each job opens a tunnel by ssh to TsocksLoginNode, for compute nodes that cannot dial out: its images are pulled through it (default: false).",
        env: ["TSOCKS"],
      }),
    ),
    TsocksPath: Type.Optional(
      Type.String({
        env: ["TSOCKSPATH"],
        description:
          "Path of libtsocks.so on the compute nodes: connections of containers go through the tunnel too (default: they do not).",
      }),
    ),
    TsocksLoginNode: Type.Optional(
      Type.String({
        description: "The tunnel's other end, as ssh is told it, such as user@login1.",
      }),
    ),
    TsocksSshPath: Type.Optional(
      Type.String({
        minLength: 1,
        description: "Path of ssh, on the compute nodes (default: from PATH).",
      }),
    ),
    TsocksSshOptions: Type.Optional(
      Type.Array(Type.String(), {
        description:
          "Options of ssh for the tunnel, such as -o IdentityFile=~/.ssh/tunnel (default: none).",
      }),
    ),
    TsocksLocal: Type.Optional(
      Type.Array(Type.String(), {
        description: "IPv4 networks that are reached directly, such as 10.0.0.0/8 (default: none).",
      }),
    ),
    Namespace: Type.Optional(Type.Unknown({ ignored: NO_EFFECT })),
    VKConfigPath: Type.Optional(Type.Unknown({ ignored: NO_EFFECT })),
    Tracing: Type.Optional(
      Type.Unknown({
        ignored:
          "spans are sent by the environment: ENABLE_TRACING=1 and the variables TELEMETRY_*",
      }),
    ),
  },
  closed,
);

/** What the file held, once it was found sound. */
export type FileSettings = Static<typeof SLURM_CONFIG>;
