import { readFile } from "node:fs/promises";
import { type ContainerMount, type ContainerSpec, RuntimeError } from "@interlink/plugin-sdk";
import type { VolumeMount } from "kubernetes-types/core/v1.js";
import type { Logger } from "pino";
import { mayBeExchanged } from "./exchangeable.ts";
import { type Attempt, type HeldMounts, MountFailure } from "./held-mounts.ts";
import { mountsBelow } from "./mount-table.ts";

export interface MountKeeperOptions {
  /** Left out where this process cannot mount for the engine: not root, or the engine is elsewhere. */
  held?: HeldMounts;
  /** Lets containers have mounts that could be exchanged, where nothing can hold them. */
  allowUnheld: boolean;
  logger: Logger;
}

/** What of a container's mounts the engine is to take from elsewhere, by their paths in the container. */
export type KeptMounts = ReadonlyMap<string, string>;

/**
 * Sees to it that what the engine mounts is what was checked, and that what is read-only stays so all the way down. It
 * does so by mounts of its own; where it cannot have those, containers whose mounts could be exchanged are refused.
 */
export class MountKeeper {
  readonly #options: MountKeeperOptions;
  #held: HeldMounts | undefined;

  constructor(options: MountKeeperOptions) {
    this.#options = options;
    this.#held = options.held;
  }

  /** Throws `RuntimeError` `InvalidConfig` in a kubelet's words where a mount leads elsewhere by now, or may. */
  async keep(spec: ContainerSpec, hasRecursiveReadOnly: boolean): Promise<KeptMounts> {
    const kept = new Map<string, string>();
    for (const [index, mount] of spec.mounts.entries()) {
      const declared = declaredMount(spec, mount);
      // Propagation both ways ends at a mount of the plugin's; only privileged containers may have it.
      if (declared?.mountPropagation === "Bidirectional") continue;
      const isOnlyTop = mount.readOnly && !hasRecursiveReadOnly;
      const isLeaking = isOnlyTop && (await this.#isLeaking(spec, mount, declared));
      if (mount.within === undefined && !isLeaking) continue;
      const path = await this.#hold(spec, index, mount, declared);
      if (path !== undefined) kept.set(mount.mountPath, path);
    }
    return kept;
  }

  /**
   * Whether the engine has refused to make a container because it does not see this process's mounts. From then on
   * there are none, as if they could not be made.
   */
  isUnseen(error: unknown): boolean {
    const held = this.#held;
    const isUnseen =
      held !== undefined &&
      error instanceof Error &&
      error.message.includes(held.directory) &&
      /does not exist|no such file/i.test(error.message);
    if (isUnseen) this.#giveUp("the engine does not see them", error);
    return isUnseen;
  }

  async release(owner: Attempt | { uid: string }): Promise<void> {
    await this.#options.held?.release(owner);
  }

  async #hold(
    spec: ContainerSpec,
    index: number,
    mount: ContainerMount,
    declared: VolumeMount | undefined,
  ): Promise<string | undefined> {
    const { pod, container, attempt } = spec;
    const volume = declared?.name ?? "";
    if (this.#held !== undefined) {
      const owner = { uid: pod.metadata?.uid ?? "", containerName: container.name, attempt };
      try {
        return await this.#held.hold(owner, index, mount);
      } catch (cause) {
        if (!(cause instanceof MountFailure)) throw changed(volume, container.name, cause);
        this.#giveUp("they cannot be made", cause);
      }
    }
    const isSafe = mount.within === undefined || !mayBeExchanged(pod, container.name, volume);
    if (isSafe || this.#options.allowUnheld) return undefined;
    throw new RuntimeError(
      "InvalidConfig",
      `failed to prepare volumeMount "${volume}" of container "${container.name}": others can write to this volume and lead the mount elsewhere, which this plugin cannot prevent here (it is not root on the engine's machine). Mount the whole volume, or ask the operator of this site (allowUnheldMounts).`,
    );
  }

  /** Whether something is mounted below, which would stay writable. */
  async #isLeaking(
    { pod }: ContainerSpec,
    mount: ContainerMount,
    declared: VolumeMount | undefined,
  ): Promise<boolean> {
    if (this.#held === undefined) return false;
    if (declared?.recursiveReadOnly === "Enabled") return true;
    const volume = pod.spec?.volumes?.find(({ name }) => name === declared?.name);
    // In the directory of a pod nothing is ever mounted.
    if (!volume?.hostPath && !volume?.persistentVolumeClaim) return false;
    const table = await readFile("/proc/self/mountinfo", "utf8");
    return mountsBelow(table, mount.hostPath).some(({ path }) => path !== mount.hostPath);
  }

  #giveUp(why: string, err: unknown): void {
    this.#held = undefined;
    this.#options.logger.warn(
      { err },
      `mounts of the plugin's own are not used: ${why}; containers with a subPath that others could exchange are refused`,
    );
  }
}

export function declaredMount(
  { container }: ContainerSpec,
  { mountPath }: Pick<ContainerMount, "mountPath">,
): VolumeMount | undefined {
  // The SDK makes mount paths absolute.
  return container.volumeMounts?.find(
    (one) => one.mountPath === mountPath || `/${one.mountPath}` === mountPath,
  );
}

function changed(volume: string, container: string, cause: unknown): RuntimeError {
  const { code } = cause as NodeJS.ErrnoException;
  return new RuntimeError(
    "InvalidConfig",
    `failed to prepare volumeMount "${volume}" of container "${container}": it was changed meanwhile (${code ?? "unknown error"})`,
    { cause },
  );
}
