import { Type } from "typebox";
import {
  DataKey,
  DnsLabel,
  DnsSubdomain,
  LIMITS,
  PodUid,
  ProjectedPath,
  Rfc3339,
} from "./names.ts";

// Kubernetes objects, only as deep as this side of the wire relies on them. Everything else passes through unread:
// its shape is Kubernetes' business and grows with every release.

const StringMap = Type.Record(Type.String(), Type.String(), {
  maxProperties: LIMITS.keysPerObject,
});

const PodMetadata = Type.Object({
  name: DnsSubdomain,
  namespace: DnsLabel,
  uid: PodUid,
  labels: Type.Optional(StringMap),
  annotations: Type.Optional(StringMap),
});

const VolumeMount = Type.Object({ name: DnsLabel, mountPath: Type.Optional(Type.String()) });

const Container = Type.Object({
  name: DnsLabel,
  image: Type.Optional(Type.String()),
  command: Type.Optional(Type.Array(Type.String())),
  args: Type.Optional(Type.Array(Type.String())),
  env: Type.Optional(
    Type.Array(Type.Object({ name: Type.String(), value: Type.Optional(Type.String()) }), {
      maxItems: LIMITS.envPerContainer,
    }),
  ),
  volumeMounts: Type.Optional(Type.Array(VolumeMount, { maxItems: LIMITS.mountsPerContainer })),
});

const EphemeralContainer = Type.Object({
  ...Container.properties,
  targetContainerName: Type.Optional(Type.Union([DnsLabel, Type.Literal("")])),
});

const Volume = Type.Object({
  name: DnsLabel,
  configMap: Type.Optional(
    Type.Object({ name: Type.Optional(DnsSubdomain), optional: Type.Optional(Type.Boolean()) }),
  ),
  secret: Type.Optional(
    Type.Object({
      secretName: Type.Optional(DnsSubdomain),
      optional: Type.Optional(Type.Boolean()),
    }),
  ),
  projected: Type.Optional(Type.Object({})),
  downwardAPI: Type.Optional(Type.Object({})),
});

/** A pod, shallow. `containers` is `[]` when every container stays local (old peers write `null`). */
export const PodSchema = Type.Object(
  {
    metadata: PodMetadata,
    spec: Type.Object(
      {
        containers: Type.Array(Container, { maxItems: LIMITS.containersPerPod, default: [] }),
        initContainers: Type.Optional(Type.Array(Container, { maxItems: LIMITS.containersPerPod })),
        ephemeralContainers: Type.Optional(
          Type.Array(EphemeralContainer, { maxItems: LIMITS.containersPerPod }),
        ),
        volumes: Type.Optional(Type.Array(Volume, { maxItems: LIMITS.volumesPerPod })),
      },
      { default: {} },
    ),
  },
  { description: "A Kubernetes v1.Pod; fields not described here pass through" },
);

const ObjectMetadata = Type.Object({
  name: DnsSubdomain,
  namespace: Type.Optional(Type.Union([DnsLabel, Type.Literal("")])),
});

const DataMap = Type.Record(DataKey, Type.String(), {
  additionalProperties: false,
  maxProperties: LIMITS.keysPerObject,
});

export const ConfigMapSchema = Type.Object(
  {
    metadata: ObjectMetadata,
    data: Type.Optional(DataMap),
    binaryData: Type.Optional(DataMap),
  },
  { description: "A Kubernetes v1.ConfigMap" },
);

export const SecretSchema = Type.Object(
  {
    metadata: ObjectMetadata,
    type: Type.Optional(Type.String()),
    data: Type.Optional(DataMap),
    stringData: Type.Optional(DataMap),
  },
  { description: "A Kubernetes v1.Secret; data is base64" },
);

const PathMap = Type.Record(ProjectedPath, Type.String(), {
  additionalProperties: false,
  maxProperties: LIMITS.keysPerObject,
});

/** The synthetic ConfigMap of a projected or downwardAPI volume: named as the volume, keys are paths. */
export const ProjectedMapSchema = Type.Object(
  {
    metadata: Type.Object({ name: DnsLabel }),
    data: Type.Optional(PathMap),
    binaryData: Type.Optional(PathMap),
  },
  { description: "A ConfigMap named as the volume; data is path to content" },
);

const ContainerState = Type.Object({
  waiting: Type.Optional(
    Type.Object({ reason: Type.Optional(Type.String()), message: Type.Optional(Type.String()) }),
  ),
  running: Type.Optional(Type.Object({ startedAt: Type.Optional(Rfc3339) })),
  terminated: Type.Optional(
    Type.Object({
      exitCode: Type.Integer({ default: 0 }),
      signal: Type.Optional(Type.Integer()),
      reason: Type.Optional(Type.String()),
      message: Type.Optional(Type.String()),
      startedAt: Type.Optional(Rfc3339),
      finishedAt: Type.Optional(Rfc3339),
      containerID: Type.Optional(Type.String()),
    }),
  ),
});

/** A v1.ContainerStatus as plugins tell it: whatever Go would leave at its zero value may be missing. */
export const ContainerStatusSchema = Type.Object(
  {
    name: Type.String({ minLength: 1, maxLength: 253 }),
    state: Type.Optional(ContainerState),
    lastState: Type.Optional(ContainerState),
    ready: Type.Boolean({ default: false }),
    restartCount: Type.Integer({ default: 0 }),
    image: Type.String({ default: "" }),
    imageID: Type.String({ default: "" }),
    containerID: Type.Optional(Type.String()),
    started: Type.Optional(Type.Boolean()),
  },
  { description: "A Kubernetes v1.ContainerStatus" },
);
