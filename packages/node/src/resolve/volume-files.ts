import { type FieldAddresses, fieldValue } from "@interlink/protocol";
import type {
  ConfigMap,
  DownwardAPIVolumeFile,
  KeyToPath,
  Pod,
  Secret,
} from "kubernetes-types/core/v1.js";
import { type Allocatable, resourceValue } from "./resource-ref.ts";

/** Files of a volume, path → content: text, or base64 for what is not UTF-8. */
export interface VolumeFiles {
  data: Record<string, string>;
  binaryData: Record<string, string>;
}

export function noFiles(): VolumeFiles {
  return { data: {}, binaryData: {} };
}

/** The files that a configMap source gives; a string is the kubelet's sentence about what is missing. */
export function configMapFiles(
  object: ConfigMap,
  items: readonly KeyToPath[] | undefined,
  optional: boolean,
): VolumeFiles | string {
  const files = noFiles();
  for (const { key, path } of items ?? allKeys(object.data, object.binaryData)) {
    if (object.data?.[key] !== undefined) files.data[path] = object.data[key];
    else if (object.binaryData?.[key] !== undefined)
      files.binaryData[path] = object.binaryData[key];
    else if (!optional) return `configmap references non-existent config key: ${key}`;
  }
  return files;
}

/** The files that a secret source gives. Content that is valid UTF-8 becomes text, as old peers expect it. */
export function secretFiles(
  object: Secret,
  items: readonly KeyToPath[] | undefined,
  optional: boolean,
): VolumeFiles | string {
  const files = noFiles();
  for (const { key, path } of items ?? allKeys(object.data)) {
    const base64 = object.data?.[key];
    if (base64 === undefined) {
      if (!optional) return `references non-existent secret key: ${key}`;
      continue;
    }
    const bytes = Buffer.from(base64, "base64");
    const text = bytes.toString("utf8");
    if (Buffer.from(text, "utf8").equals(bytes)) files.data[path] = text;
    else files.binaryData[path] = base64;
  }
  return files;
}

/** The files that a downwardAPI source gives (kubelet `pkg/volume/downwardapi`). */
export function downwardFiles(
  pod: Pod,
  items: readonly DownwardAPIVolumeFile[],
  addresses: FieldAddresses,
  allocatable: Allocatable,
): VolumeFiles | string {
  const files = noFiles();
  for (const { path, fieldRef, resourceFieldRef } of items) {
    if (fieldRef) {
      const value = fieldValue(pod, fieldRef.fieldPath, addresses);
      if (value === undefined) return `unsupported fieldPath: ${fieldRef.fieldPath}`;
      files.data[path] = value;
    } else if (resourceFieldRef) {
      const found = resourceValue(pod, resourceFieldRef, undefined, allocatable);
      if ("problem" in found) return found.problem;
      files.data[path] = found.value;
    }
  }
  return files;
}

/** Adds files; a later path takes the place of an earlier one, whichever kind it was. */
export function mergeFiles(into: VolumeFiles, from: VolumeFiles): void {
  for (const [path, text] of Object.entries(from.data)) {
    delete into.binaryData[path];
    into.data[path] = text;
  }
  for (const [path, base64] of Object.entries(from.binaryData)) {
    delete into.data[path];
    into.binaryData[path] = base64;
  }
}

function allKeys(...maps: (Record<string, unknown> | undefined)[]): KeyToPath[] {
  return maps.flatMap((map) => Object.keys(map ?? {})).map((key) => ({ key, path: key }));
}
