import type { ConfigMap, KeyToPath, Secret } from "kubernetes-types/core/v1.js";
import { PluginError } from "../plugin-error.ts";
import { volumePath } from "./volume-path.ts";

/** One file of a volume. */
export interface PlannedFile {
  /** Below the volume, cleaned. */
  path: string;
  content: Uint8Array;
  /** Permission bits. */
  mode: number;
  /** The user that it is given to, if this process may. */
  uid?: number;
}

/** Files of one volume by path; a later one replaces an earlier one, as in projected volumes. */
export type VolumeFiles = Map<string, PlannedFile>;

/** `defaultMode` of every kind of volume that Kubernetes fills. */
export const DEFAULT_MODE = 0o644;

export interface Selection {
  /** Of the volume, for messages. */
  volume: string;
  items?: readonly KeyToPath[] | undefined;
  defaultMode?: number | undefined;
  optional?: boolean | undefined;
}

/** The contents of a ConfigMap by key. */
export function configMapContents({ data, binaryData, metadata }: ConfigMap): Map<string, Buffer> {
  const owner = `configmap "${metadata?.name}"`;
  return new Map([
    ...Object.entries(data ?? {}).map(([key, text]) => [key, Buffer.from(text)] as const),
    ...Object.entries(binaryData ?? {}).map(([key, text]) => [key, base64(owner, text)] as const),
  ]);
}

/** The contents of a Secret by key. */
export function secretContents({ data, metadata }: Secret): Map<string, Buffer> {
  const owner = `secret "${metadata?.name}"`;
  return new Map(
    Object.entries(data ?? {}).map(([key, text]) => [key, base64(owner, text)] as const),
  );
}

/**
 * Put the selected keys into `files`: all of them, or those of `items` under their own path and mode. `missing` words a
 * key that is not there and not optional.
 */
export function addSelected(
  files: VolumeFiles,
  contents: ReadonlyMap<string, Buffer>,
  { volume, items, defaultMode, optional }: Selection,
  missing: (key: string) => string,
): void {
  const selected: readonly KeyToPath[] =
    items !== undefined && items !== null && items.length > 0
      ? items
      : Array.from(contents.keys(), (key) => ({ key, path: key }));
  for (const { key, path, mode } of selected) {
    const content = contents.get(key);
    if (content !== undefined)
      addFile(files, volume, path, content, mode ?? defaultMode ?? DEFAULT_MODE);
    else if (optional !== true) throw new PluginError("rejected", missing(key));
  }
}

export function addFile(
  files: VolumeFiles,
  volume: string,
  path: string,
  content: Uint8Array,
  mode: number,
  uid?: number,
): void {
  const clean = volumePath(volume, path);
  const owner = uid === undefined ? {} : { uid };
  files.set(clean, { path: clean, content, mode: mode & 0o777, ...owner });
}

/** Throws when a file lies where another one needs a directory. */
export function checkTree(volume: string, files: VolumeFiles): void {
  for (const path of files.keys()) {
    for (let slash = path.indexOf("/"); slash >= 0; slash = path.indexOf("/", slash + 1)) {
      if (files.has(path.slice(0, slash))) {
        throw new PluginError(
          "rejected",
          `Volume "${volume}" wants "${path.slice(0, slash)}" both as a file and as a directory.`,
        );
      }
    }
  }
}

const BASE64 = /^[A-Za-z0-9+/]*={0,2}$/;

function base64(owner: string, text: string): Buffer {
  const bare = text.replace(/[\r\n]/g, "");
  if (BASE64.test(bare)) return Buffer.from(bare, "base64");
  throw new PluginError("invalid", `The ${owner} holds a value that is not base64.`);
}
