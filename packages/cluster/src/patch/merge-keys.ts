/**
 * How strategic merge patch treats the fields of the kinds served: the struct tags `patchStrategy` and `patchMergeKey`
 * of k8s.io/api. Lists that are not named here are replaced whole. Checked against `kubectl patch --local`.
 */
export interface FieldMerge {
  /** The type of the field, or of a list's elements. */
  readonly of?: string;
  /** A list of objects, merged by this key. */
  readonly key?: string;
  /** In server-side apply, further fields of the key, with what stands for them when they are not given. */
  readonly also?: Readonly<Record<string, string>>;
  /** A list of scalars, merged as a set. */
  readonly set?: true;
}

export type TypeMerge = Readonly<Record<string, FieldMerge>>;

const container: TypeMerge = {
  env: { key: "name", of: "EnvVar" },
  ports: { key: "containerPort", also: { protocol: "TCP" } },
  volumeMounts: { key: "mountPath" },
  volumeDevices: { key: "devicePath" },
};

const typed = (spec?: string, status?: string): TypeMerge => ({
  metadata: { of: "ObjectMeta" },
  ...(spec ? { spec: { of: spec } } : {}),
  ...(status ? { status: { of: status } } : {}),
});

const withConditions: TypeMerge = { conditions: { key: "type" } };

export const mergeTypes: Readonly<Record<string, TypeMerge>> = {
  ObjectMeta: { ownerReferences: { key: "uid" }, finalizers: { set: true } },
  Pod: typed("PodSpec", "PodStatus"),
  PodTemplateSpec: typed("PodSpec"),
  PodSpec: {
    containers: { key: "name", of: "Container" },
    initContainers: { key: "name", of: "Container" },
    ephemeralContainers: { key: "name", of: "EphemeralContainer" },
    volumes: { key: "name", of: "Volume" },
    imagePullSecrets: { key: "name" },
    hostAliases: { key: "ip" },
    topologySpreadConstraints: { key: "topologyKey" },
    schedulingGates: { key: "name" },
    resourceClaims: { key: "name" },
  },
  Container: container,
  EphemeralContainer: container,
  PodStatus: {
    conditions: { key: "type" },
    podIPs: { key: "ip" },
    hostIPs: { key: "ip" },
    resourceClaimStatuses: { key: "name" },
  },
  Node: typed("NodeSpec", "NodeStatus"),
  NodeSpec: { podCIDRs: { set: true } },
  NodeStatus: { conditions: { key: "type" }, addresses: { key: "type" } },
  Namespace: typed("NamespaceSpec", "NamespaceStatus"),
  NamespaceStatus: withConditions,
  Service: typed("ServiceSpec", "ServiceStatus"),
  ServiceSpec: { ports: { key: "port", also: { protocol: "TCP" } } },
  ServiceStatus: withConditions,
  ServiceAccount: {
    ...typed(),
    secrets: { key: "name" },
  },
  PersistentVolumeClaim: typed("PersistentVolumeClaimSpec", "PersistentVolumeClaimStatus"),
  PersistentVolumeClaimStatus: withConditions,
  Job: typed("JobSpec", "JobStatus"),
  JobSpec: { template: { of: "PodTemplateSpec" } },
  JobStatus: withConditions,
};

/** For kinds that have nothing particular but metadata. */
export const plainObject: TypeMerge = typed();

export function typeMerge(name: string | undefined): TypeMerge {
  return (name === undefined ? undefined : mergeTypes[name]) ?? {};
}
