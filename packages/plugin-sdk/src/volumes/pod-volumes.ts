import type { Container, Pod, Volume } from "kubernetes-types/core/v1.js";
import type { ContainerMount } from "../runtime/container-runtime.ts";

/** A volume that a plugin provides itself, of a kind that the SDK does not write: hostPath, a claim, CSI … */
export interface ProvidedVolume {
  /** Absolute, exists; a directory or a file. */
  hostPath: string;
  readOnly?: boolean;
  /** Real directory below which pods may exchange parts of `hostPath`, see `ContainerMount.within`. */
  within?: string;
  /** No container anywhere can write to it, so that its parts stay what they are. */
  isFixed?: boolean;
}

/**
 * A plugin's say on volumes that the SDK does not write. `undefined` rejects the volume, and with it the pod; throw
 * `PluginError` `rejected` to say why in better words.
 */
export type VolumeResolver = (
  volume: Volume,
  pod: Pod,
) => ProvidedVolume | undefined | Promise<ProvidedVolume | undefined>;

/** Where volumes are made, and who provides those that are not files. */
export interface PrepareVolumesOptions {
  /** The pod's own, exists (`store.paths(uid).volumes`). Each volume becomes a directory in it. */
  directory: string;
  resolveVolume?: VolumeResolver;
  signal?: AbortSignal;
  /** Milliseconds since the epoch, for the names of directories. */
  now?: () => number;
}

/** The volumes of one pod, on disk. */
export interface PodVolumes {
  /**
   * What this container mounts, in the order of its `volumeMounts`. `env` is its final environment, for
   * `subPathExpr`. Directories for missing subPaths are made. Throws `PluginError` `rejected` with the kubelet's
   * words (container state `CreateContainerConfigError`).
   */
  mounts(
    container: Container,
    env: readonly { name: string; value: string }[],
  ): Promise<ContainerMount[]>;
  /**
   * A small file in one of the volumes, for variables that come from files; `undefined` if it is not there. Throws
   * `PluginError` `rejected`.
   */
  read(volume: string, path: string): Promise<string | undefined>;
}
