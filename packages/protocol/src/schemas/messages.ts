import { Type } from "typebox";
import {
  ConfigMapSchema,
  ContainerStatusSchema,
  PodSchema,
  ProjectedMapSchema,
  SecretSchema,
} from "./kubernetes.ts";
import { DnsLabel, DnsSubdomain, GoTime, LIMITS, PodUid, Rfc3339 } from "./names.ts";

// The messages of messages.ts as schemas. They drive three things: validation, tolerant reading (field names and
// defaults, see read/coerce.ts) and the OpenAPI documents. Unknown fields are always allowed.

const objects = { maxItems: LIMITS.objectsPerPod, default: [] as never[] };

export const PodCreateRequestSchema = Type.Object({
  pod: PodSchema,
  configmaps: Type.Array(ConfigMapSchema, objects),
  secrets: Type.Array(SecretSchema, objects),
  projectedvolumesmaps: Type.Array(ProjectedMapSchema, objects),
  jobscriptURL: Type.String({ default: "", maxLength: 4096 }),
});

const text = Type.String({ default: "" });
const flag = Type.Boolean({ default: false });
const count = Type.Integer({ default: 0 });

export const JobConfigSchema = Type.Object(
  {
    SingularityHubProxy: Type.Object(
      { server: text, master_token: text, cache_validity_seconds: count },
      { default: {} },
    ),
    ApptainerOptions: Type.Object(
      {
        executable: text,
        fakeroot: flag,
        containall: flag,
        fuseMode: text,
        noInit: flag,
        noHome: flag,
        noPrivs: flag,
        nvidiaSupport: flag,
        cleanenv: flag,
        unsquash: flag,
      },
      { default: {} },
    ),
    Volumes: Type.Object(
      {
        scratch_area: text,
        apptainer_cachedir: text,
        image_dir: text,
        additional_directories_in_path: Type.Array(Type.String(), { default: [] }),
        fuse_sleep_seconds: count,
      },
      { default: {} },
    ),
  },
  { default: {} },
);

export const RetrievedContainerSchema = Type.Object({
  name: DnsLabel,
  configMaps: Type.Array(ConfigMapSchema, objects),
  projectedvolumemaps: Type.Array(ProjectedMapSchema, objects),
  secrets: Type.Array(SecretSchema, objects),
  emptyDirs: Type.Array(Type.String(), objects),
});

export const RetrievedPodDataSchema = Type.Object({
  pod: PodSchema,
  container: Type.Array(RetrievedContainerSchema, {
    maxItems: 3 * LIMITS.containersPerPod,
    default: [],
  }),
  jobConfig: JobConfigSchema,
  jobScript: Type.Optional(Type.String()),
  pullSecrets: Type.Optional(Type.Array(SecretSchema, { maxItems: LIMITS.objectsPerPod })),
});

export const CreateAnswerSchema = Type.Object({
  PodUID: Type.String({ default: "", maxLength: 253 }),
  PodJID: Type.String({ default: "", maxLength: 4096, "x-accept-number": true }),
});

export const StatusRequestSchema = Type.Array(PodSchema, {
  maxItems: LIMITS.podsPerRequest,
  default: [],
});

const RemotePodExtensionSchema = Type.Object({
  revision: Type.Optional(Type.Integer()),
  createdBy: Type.Optional(Type.String({ maxLength: 1024 })),
  content: Type.Optional(Type.String({ maxLength: 1024 })),
  podIPs: Type.Optional(Type.Array(Type.String(), { maxItems: 16 })),
  hostIP: Type.Optional(Type.String()),
  sandboxReadyAt: Type.Optional(Rfc3339),
  ephemeralContainers: Type.Optional(
    Type.Array(ContainerStatusSchema, { maxItems: LIMITS.containersPerPod }),
  ),
  deleting: Type.Optional(Type.Boolean()),
  gone: Type.Optional(Type.Boolean()),
  failed: Type.Optional(Type.Object({ reason: text, message: text })),
  reason: Type.Optional(Type.String()),
  message: Type.Optional(Type.String()),
});

const statuses = { maxItems: 2 * LIMITS.containersPerPod, default: [] as never[] };

export const RemotePodStatusSchema = Type.Object({
  name: Type.String({ default: "", maxLength: 253 }),
  UID: Type.String({ default: "", maxLength: 253 }),
  namespace: Type.String({ default: "", maxLength: 253 }),
  JID: Type.String({ default: "", maxLength: 4096, "x-accept-number": true }),
  containers: Type.Array(ContainerStatusSchema, statuses),
  initContainers: Type.Array(ContainerStatusSchema, statuses),
  extension: Type.Optional(RemotePodExtensionSchema),
});

export const StatusAnswerSchema = Type.Array(RemotePodStatusSchema, {
  maxItems: 10 * LIMITS.podsPerRequest,
  default: [],
});

const whole = Type.Integer({ default: 0, minimum: 0, maximum: Number.MAX_SAFE_INTEGER });

export const LogRequestSchema = Type.Object({
  Namespace: DnsLabel,
  PodUID: PodUid,
  PodName: Type.Union([DnsSubdomain, Type.Literal("")], { default: "" }),
  ContainerName: Type.Union([DnsLabel, Type.Literal("")], { default: "" }),
  Opts: Type.Object(
    {
      Tail: whole,
      Bytes: whole,
      Timestamps: flag,
      Follow: flag,
      Previous: flag,
      SinceSeconds: whole,
      SinceTime: GoTime,
      TailIsSet: Type.Optional(Type.Boolean()),
      Stream: Type.Optional(Type.Union([Type.Literal("Stdout"), Type.Literal("Stderr")])),
    },
    { default: {} },
  ),
});

export const PingAnswerSchema = Type.Object({
  status: Type.Optional(Type.String()),
  resources: Type.Optional(
    Type.Object({
      cpu: Type.Optional(Type.String({ "x-accept-number": true })),
      memory: Type.Optional(Type.String({ "x-accept-number": true })),
      pods: Type.Optional(Type.String({ "x-accept-number": true })),
      "ephemeral-storage": Type.Optional(Type.String({ "x-accept-number": true })),
      accelerators: Type.Optional(
        Type.Array(
          Type.Object({
            resourceType: Type.String(),
            available: Type.String({ "x-accept-number": true }),
          }),
          { maxItems: 1000 },
        ),
      ),
    }),
  ),
  taints: Type.Optional(
    Type.Array(
      Type.Object({
        key: Type.String(),
        value: Type.Optional(Type.String()),
        effect: Type.Optional(Type.String()),
      }),
      { maxItems: 1000 },
    ),
  ),
});

export const CapabilitiesSchema = Type.Object({
  protocol: Type.Literal("interlink"),
  version: Type.String({ maxLength: 64 }),
  agent: Type.String({ default: "", maxLength: 256 }),
  features: Type.Array(Type.String({ maxLength: 64 }), { maxItems: 256, default: [] }),
  runtime: Type.Optional(Type.String({ pattern: "^[a-z0-9][a-z0-9.-]{0,62}$" })),
});

const RemotePodEventSchema = Type.Object({
  UID: PodUid,
  name: DnsSubdomain,
  namespace: DnsLabel,
  container: Type.Optional(Type.String({ maxLength: 253 })),
  type: Type.Union([Type.Literal("Normal"), Type.Literal("Warning")]),
  reason: Type.String({ maxLength: 256 }),
  message: Type.String({ default: "" }),
  at: Rfc3339,
});

/** One line of the status stream, by `type`. */
export const StatusStreamRecordSchemas = {
  status: Type.Object({ type: Type.Literal("status"), status: RemotePodStatusSchema }),
  synced: Type.Object({ type: Type.Literal("synced"), at: Rfc3339 }),
  gone: Type.Object({
    type: Type.Literal("gone"),
    UID: PodUid,
    name: Type.String({ default: "" }),
    namespace: Type.String({ default: "" }),
  }),
  event: Type.Object({ type: Type.Literal("event"), event: RemotePodEventSchema }),
  heartbeat: Type.Object({ type: Type.Literal("heartbeat"), at: Rfc3339 }),
};
