import type { FieldAddresses } from "@interlink/protocol";
import type {
  ConfigMap,
  Pod,
  ProjectedVolumeSource,
  Secret,
  Volume,
  VolumeProjection,
} from "kubernetes-types/core/v1.js";
import { type PodObjects, tokenKey } from "./pod-objects.ts";
import type { Allocatable } from "./resource-ref.ts";
import {
  configMapFiles,
  downwardFiles,
  mergeFiles,
  noFiles,
  secretFiles,
  type VolumeFiles,
} from "./volume-files.ts";

export interface VolumesInput {
  pod: Pod;
  objects: PodObjects;
  addresses: FieldAddresses;
  allocatable: Allocatable;
}

/** A volume that cannot be filled yet, in the kubelet's words (event FailedMount; the pod waits, it never fails). */
export interface VolumeProblem {
  volume: string;
  message: string;
  /** It is not a matter of waiting: this node never has what the volume asks for. */
  never: boolean;
}

export interface ResolvedVolumes {
  /** For the wire: one full object per `configMap` volume; optional ones that do not exist are left out. */
  configmaps: ConfigMap[];
  secrets: Secret[];
  /** One synthetic ConfigMap per projected or downwardAPI volume, named as the volume. */
  projectedvolumesmaps: ConfigMap[];
  /** The pod's volumes as peers expect them: downwardAPI rewritten to projected, all others as they were. */
  volumes: Volume[];
  problems: VolumeProblem[];
}

/**
 * Fills a pod's volumes from fetched objects (kubelet-contract.md 4.2; interlink-wire-and-node.md 5.1 and 12.9).
 * Kinds without content in the cluster (emptyDir, hostPath, claims …) pass through; the plugin decides about them.
 */
export function resolveVolumes(input: VolumesInput): ResolvedVolumes {
  const result: ResolvedVolumes = {
    configmaps: [],
    secrets: [],
    projectedvolumesmaps: [],
    volumes: [],
    problems: [],
  };
  for (const original of input.pod.spec?.volumes ?? []) {
    const volume = withProjectedDownward(original);
    result.volumes.push(volume);
    const unsupported = unsupportedSource(volume);
    if (unsupported !== undefined) {
      const message = `volume "${volume.name}" is projected from ${unsupported}, which this node does not support; use secret, configMap, downwardAPI or serviceAccountToken sources`;
      result.problems.push({ volume: volume.name, message, never: true });
      continue;
    }
    const problem = fill(volume, input, result);
    if (problem === undefined) continue;
    const message = `MountVolume.SetUp failed for volume "${volume.name}" : ${problem}`;
    result.problems.push({ volume: volume.name, message, never: false });
  }
  return result;
}

const PROJECTED = new Set(["secret", "configMap", "downwardAPI", "serviceAccountToken"]);

/** A kind of projected source that cannot be filled here. An optional one of those may be empty. */
function unsupportedSource({ projected }: Volume): string | undefined {
  return (projected?.sources ?? [])
    .filter((source) => source.clusterTrustBundle?.optional !== true)
    .flatMap((source) => Object.keys(source))
    .find((kind) => !PROJECTED.has(kind));
}

function fill(volume: Volume, input: VolumesInput, result: ResolvedVolumes): string | undefined {
  if (volume.configMap) {
    const { name = "", items, optional = false } = volume.configMap;
    const object = input.objects.configMaps.get(name);
    if (!object) return optional ? undefined : `configmap "${name}" not found`;
    const files = configMapFiles(object, items, optional);
    if (typeof files === "string") return files;
    result.configmaps.push(asOnTheWire(object));
  } else if (volume.secret) {
    const { secretName: name = "", items, optional = false } = volume.secret;
    const object = input.objects.secrets.get(name);
    if (!object) return optional ? undefined : `secret "${name}" not found`;
    const files = secretFiles(object, items, optional);
    if (typeof files === "string") return files;
    result.secrets.push(asOnTheWire(object));
  } else if (volume.projected) {
    const files = projectedFiles(volume.name, volume.projected, input);
    if (typeof files === "string") return files;
    const { data, binaryData } = files;
    result.projectedvolumesmaps.push({
      metadata: { name: volume.name },
      data,
      ...(Object.keys(binaryData).length > 0 ? { binaryData } : {}),
    });
  }
  return undefined;
}

function projectedFiles(
  volume: string,
  projected: ProjectedVolumeSource,
  input: VolumesInput,
): VolumeFiles | string {
  const all = noFiles();
  for (const [index, source] of (projected.sources ?? []).entries()) {
    const files = sourceFiles(source, tokenKey(volume, index), input);
    if (typeof files === "string") return files;
    mergeFiles(all, files);
  }
  return all;
}

function sourceFiles(
  source: VolumeProjection,
  token: string,
  input: VolumesInput,
): VolumeFiles | string {
  const { objects } = input;
  if (source.configMap) {
    const { name = "", items, optional = false } = source.configMap;
    const object = objects.configMaps.get(name);
    if (!object) return optional ? noFiles() : `configmap "${name}" not found`;
    return configMapFiles(object, items, optional);
  }
  if (source.secret) {
    const { name = "", items, optional = false } = source.secret;
    const object = objects.secrets.get(name);
    if (!object) return optional ? noFiles() : `secret "${name}" not found`;
    return secretFiles(object, items, optional);
  }
  if (source.downwardAPI) {
    const { items = [] } = source.downwardAPI;
    return downwardFiles(input.pod, items, input.addresses, input.allocatable);
  }
  if (source.serviceAccountToken) {
    const found = objects.tokens.get(token);
    if (!found) return "failed to fetch token: it was not asked for";
    if ("error" in found) return `failed to fetch token: ${found.error}`;
    return { ...noFiles(), data: { [source.serviceAccountToken.path]: found.token } };
  }
  return noFiles();
}

/** Old peers know projected volumes only; downwardAPI is one with a single source. */
function withProjectedDownward(volume: Volume): Volume {
  if (!volume.downwardAPI) return volume;
  const { downwardAPI, ...rest } = volume;
  const { defaultMode, items } = downwardAPI;
  return {
    ...rest,
    projected: {
      ...(defaultMode === undefined ? {} : { defaultMode }),
      sources: [{ downwardAPI: items ? { items } : {} }],
    },
  };
}

/** Peers see typed objects, which carry no kind; managedFields only cost. */
function asOnTheWire<T extends ConfigMap | Secret>(object: T): T {
  const { kind: _kind, apiVersion: _version, metadata, ...rest } = object;
  const { managedFields: _fields, ...kept } = metadata ?? {};
  return { ...rest, metadata: kept } as T;
}
